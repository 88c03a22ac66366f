"""Search a reward for a task of ours without a model and without a key: the grammar proposes.

Run it with `python examples/minimal_search.py`; it takes about half a minute on two cores.
"""

from __future__ import annotations

import eureka_agent as ea

CONFIG = ea.SynthesisConfig.of(
    task="cartpole",
    budget="quick",
    environment_steps=20_000,
    generations=2,
    samples=4,
    seed=4,
)


def main() -> None:
    result = ea.synthesize(CONFIG)
    if result.reward is None or result.best is None:
        print(f"No reward could be trained; {result.path} says why.")
        return
    print(result.reward.source)
    print(f"{result.best.candidate.name}: {result.best.fitness:.1f} steps, of 500 at most")
    for baseline in result.baselines:
        print(f"{baseline.name}: {baseline.evaluation.fitness:.1f} steps")


if __name__ == "__main__":
    main()
