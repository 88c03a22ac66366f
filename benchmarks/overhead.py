"""Split the time of a whole run's generations into parts, from the prompt to the next parent.

    training     PPO and its physics: all that the trainer does except the rewards
    evaluation   the trained policies' episodes
    rewards      their calls in the sandbox during training, and the checks of what comes back
    opening      static checks, sandboxed processes, contract checks, the list of tensor operations,
                 once per candidate
    screening    duplicates and the distance to the human reward
    store        what is committed to the run's database
    rest         prompts, the grammar's proposals, reflection, events, files

The sandbox's share is opening and rewards; the share outside of training is what is neither
training, evaluation nor sandbox. The first generation is listed alone, since torch loads modules at
first use. One run is measured from outside: the library's own calls are timed, one within the
other. Run with `python -m benchmarks.overhead`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from benchmarks.parts import Call, Clock
from eureka_agent.config import BudgetName
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.screening import Screening

Seconds = dict[str, float]
PARTS = ("training", "evaluation", "rewards", "opening", "screening", "store", "rest")
_CALLS: tuple[Call, ...] = (
    (Evaluator, "prepare", "opening"),
    (Evaluator, "train", "training"),
    (Evaluator, "_evaluate", "evaluation"),
    (SandboxedReward, "submit", "rewards"),
    (SandboxedReward, "collect", "rewards"),
    (Screening, "deduplicate", "screening"),
    (Screening, "screen", "screening"),
    (Screening, "distance_to_human", "screening"),
    *(
        (Store, name, "store")
        for name in (
            "save_prompt",
            "save_completion",
            "save_check",
            "save_outcomes",
            "save_metadata",
        )
    ),
)


def main(
    tasks: tuple[str, ...] = ("hopper_forward", "ant_forward"),
    generations: int = 3,
    samples: int = 8,
    budget: BudgetName = "quick",
    quick: bool = False,
) -> None:
    """Run and print two rows per task: the first generation, and those after it.

    Args:
        tasks: Names of the tasks.
        generations: Generations of each run.
        samples: Rewards in a generation.
        budget: Training of each reward.
        quick: Two rewards and hardly any training: only shows that it runs.
    """
    if quick:
        tasks, generations, samples = tasks[:1], 2, 2
    rows = []
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        for task in tasks:
            config = ea.SynthesisConfig.of(
                seeds=1,
                task=task,
                budget=budget,
                generations=generations,
                samples=samples,
                environment_steps=4_096 if quick else None,
                baselines=False,
                runs_dir=Path(folder),
            )
            first, later = _measured(config, sandbox)
            rows += [_row(f"{task}, generation 0", first), _row(f"{task}, later", later)]
    table(
        f"{generations} generations of {samples}",
        ("", "seconds", *PARTS, "sandbox", "outside"),
        rows,
    )


def _measured(config: ea.SynthesisConfig, sandbox: Sandbox) -> tuple[Seconds, Seconds]:
    """Return the seconds of each part in the first generation, and in those after it."""
    clock = Clock(_CALLS, whole=("opening", "screening", "evaluation", "store"))
    seen: list[Seconds] = []
    with clock.running():
        for _ in ea.evolve(config, sandbox=sandbox):
            with clock.part("rest"):  # counts what has run so far
                seen.append(dict(clock.seconds))
    return seen[0], {part: seen[-1].get(part, 0.0) - seen[0].get(part, 0.0) for part in PARTS}


def _row(name: str, seconds: Seconds) -> tuple[str, ...]:
    total = sum(seconds.values())
    shares = {part: seconds.get(part, 0.0) / total for part in PARTS}
    sandbox = shares["opening"] + shares["rewards"]
    outside = shares["screening"] + shares["store"] + shares["rest"]
    return (
        name,
        f"{total:.1f}",
        *(f"{shares[part]:.1%}" for part in PARTS),
        f"{sandbox:.1%}",
        f"{outside:.1%}",
    )


if __name__ == "__main__":
    tyro.cli(main)
