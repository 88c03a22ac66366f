"""Compare searches that preferences lead with searches that fitness leads, for equal trainings.

For each task and search seed three searches are made with the grammar:

- fitness: the task's own search; the fittest reward is the next parent.
- ranking: `--feedback synthetic`, with the task's words as an instruction on its scene (`--env`).
  The proposer never sees a fitness, only the order of each generation.
- pairs: a stand-in that only answers which of two candidates is better. The winner of each
  generation is all that the search learns.

A question is one pair. The ranking is counted as the pairs that sorting asks for. What counts is
the fitness that the best reward so far reaches in trainings with fresh seeds, after each
generation, and the paired difference to the search by fitness with the same seed.

The result of each search goes to `--out` when it ends and is not searched again; an interrupted
search continues from its run in `--runs`. Run with `python -m benchmarks.preferences`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key, reduce
from pathlib import Path
from statistics import mean
from typing import Any

import tyro

import eureka_agent as ea
from benchmarks.measure import table
from benchmarks.search import interval_text
from eureka_agent.api.preparation import RunOverrides
from eureka_agent.config import BudgetName
from eureka_agent.jail import Sandbox
from eureka_agent.records import Feedback, Outcome
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.baselines import copies
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.selection import best_so_far
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.job import JobReward
from eureka_agent.utils.serialization import from_json, to_json

KINDS = ("fitness", "ranking", "pairs")
_OTHER_SEEDS = 1_000
"""Fresh trainings draw from a seed that no search uses: its seed plus 1, times this."""


@dataclass(frozen=True)
class Found:
    """The result of one search; each tuple has one entry for each generation."""

    key: str
    """All of its settings."""
    questions: tuple[int, ...]
    """Pairs asked up to the end of the generation."""
    seen: tuple[float, ...]
    """The fitness of the best so far in the search itself, which luck makes too high."""
    fresh: tuple[float, ...]
    """The mean fitness of the best so far in trainings with fresh seeds."""


class Pairs:
    """A stand-in for a person: knows which of two candidates is better, and counts how often."""

    def __init__(self) -> None:
        self.questions = 0

    def order(self, first: Outcome, second: Outcome) -> int:
        """Return -1 if `first` is better, 1 if `second` is, 0 if they are equal."""
        self.questions += 1
        return (first.fitness < second.fitness) - (first.fitness > second.fitness)

    def better(self, first: Outcome, second: Outcome) -> Outcome:
        """Return the better of two; of equals the first."""
        return second if self.order(first, second) > 0 else first


def best_by_pairs(request: FeedbackRequest) -> Feedback:
    """Name the winner of a generation and the best before it: a judge for `ea.synthesize`."""
    winner = reduce(Pairs().better, request.trained)
    return Feedback(request.generation, (winner.candidate.name,))


def questions_about(kind: str, trained: Sequence[Outcome]) -> int:
    """Return how many pairs a judge compares to judge these candidates."""
    pairs = Pairs()
    if kind == "ranking":
        sorted(trained, key=cmp_to_key(pairs.order))
    elif kind == "pairs":
        reduce(pairs.better, trained)
    return pairs.questions


def main(
    tasks: tuple[str, ...] = ("hopper_forward", "cartpole"),
    environment_steps: tuple[int, ...] = (100_000, 10_000),
    kinds: tuple[str, ...] = KINDS,
    searches: int = 5,
    generations: int = 4,
    samples: int = 6,
    budget: BudgetName = "quick",
    fresh: int = 3,
    out: Path = Path("preferences.jsonl"),
    runs: Path = Path("runs/preferences"),
    quick: bool = False,
) -> None:
    """Run what is missing and print one table per task.

    Args:
        tasks: Names of the tasks.
        environment_steps: Steps of each training, for each task.
        kinds: Searches to compare; the first is what the others are compared with.
        searches: Searches of each kind.
        generations: Generations of each search.
        samples: Rewards in a generation.
        budget: Training of each reward; its steps are replaced.
        fresh: Trainings of the best reward with fresh seeds, after each generation.
        out: File of results to continue.
        runs: Folder of the runs.
        quick: One task, two searches, hardly any training: only shows that it runs.
    """
    if quick:
        tasks, environment_steps, searches, generations, samples, fresh = (
            ("cartpole",), (2_000,), 2, 2, 3, 1,
        )  # fmt: skip
        runs = runs / "quick"
        out = runs / "found.jsonl"
    lines = out.read_text().splitlines() if out.exists() else []
    known = {one.key: one for one in (from_json(Found, line) for line in lines)}
    with Sandbox() as sandbox:
        for task, steps in zip(tasks, environment_steps, strict=True):
            found: dict[str, list[Found]] = {kind: [] for kind in kinds}
            for seed in range(searches):
                for kind in kinds:
                    config = _config(
                        kind,
                        task,
                        generations=generations,
                        samples=samples,
                        budget=budget,
                        environment_steps=steps,
                        seed=seed,
                        runs_dir=runs,
                    )
                    key = f"{task} {kind} {seed}: {generations}x{samples}+{fresh}, {budget} {steps}"
                    one = known.get(key) or _search(kind, config, key, fresh, sandbox)
                    if key not in known:
                        out.parent.mkdir(parents=True, exist_ok=True)
                        with out.open("a") as file:
                            file.write(to_json(one) + "\n")
                    found[kind].append(one)
            _print(task, found)


def _config(kind: str, task: str, **settings: Any) -> ea.SynthesisConfig:
    """Return the settings of a search; with `--env` the words and the ends are still the task's."""
    if kind != "fitness":
        settings |= {"env": task, "end": "task"}
    if kind == "ranking":
        settings["feedback"] = "synthetic"
    words = task if kind == "fitness" else find_task(task).description
    return ea.SynthesisConfig.of(words, seeds=1, baselines=False, **settings)


def _search(kind: str, config: ea.SynthesisConfig, key: str, fresh: int, sandbox: Sandbox) -> Found:
    """Start or resume the run, and train the best of each generation with fresh seeds."""
    config = config.replaced(run_name=re.sub(r"\W+", "-", key))
    path = config.run.runs_dir / str(config.run.run_name)
    own: RunOverrides = {"sandbox": sandbox}
    if kind == "pairs":
        own["judge"] = best_by_pairs
    if (path / "run.db").exists():
        ea.resume(path, **own)
    else:
        ea.synthesize(config, **own)
    with Store.open(RunDir(path).database, writable=False) as store:
        bests, questions = _by_generation(kind, store)
    fitness = _fresh(config, bests, fresh, sandbox)
    return Found(
        key,
        tuple(questions),
        tuple(best.fitness if best else 0.0 for best in bests),
        tuple(fitness[best.candidate.name] if best else 0.0 for best in bests),
    )


def _by_generation(kind: str, store: Store) -> tuple[list[Outcome | None], list[int]]:
    """Return the best so far and the questions so far after each generation."""
    config, feedback = store.config, store.feedback()
    bests: list[Outcome | None] = []
    questions: list[int] = []
    for g in range(config.search.generations):
        before = [bests[-1]] if bests and bests[-1] else []
        trained = [*before, *(each for each in store.outcomes(g) if each.evaluation)]
        asked = questions_about(kind, trained) if g in feedback else 0
        questions.append(asked + (questions[-1] if questions else 0))
        known = {index: each for index, each in feedback.items() if index <= g}
        history = store.outcomes_until(g)
        bests.append(best_so_far(history, known, has_fitness=config.task.has_fitness))
    return bests, questions


def _fresh(
    config: ea.SynthesisConfig, bests: Sequence[Outcome | None], fresh: int, sandbox: Sandbox
) -> dict[str, float]:
    """Return the mean fitness of each best with fresh seeds by name; a failed training counts 0."""
    task = config.task.episodes_of(find_task(str(config.task.scene)))
    sources = {best.candidate.name: best.candidate.reward for best in bests if best}
    if not sources:
        return {}
    seed = _OTHER_SEEDS * (config.search.seed + 1)
    evaluator = Evaluator(task, training_budget(config, task), sandbox, seed=seed)
    rewards = [JobReward(name, source) for name, source in sources.items()]
    endings = [f" seed {number + 1}" for number in range(fresh)]
    trained = evaluator.train(copies(rewards, endings), draws=fresh)
    fitness = [each.evaluation.fitness if each.evaluation else 0.0 for each in trained]
    return {name: mean(fitness[k * fresh : (k + 1) * fresh]) for k, name in enumerate(sources)}


def _print(task: str, found: dict[str, list[Found]]) -> None:
    kinds = list(found)
    rows = []
    for kind, all_searches in found.items():
        for g in range(len(all_searches[0].fresh)):
            fresh = [one.fresh[g] for one in all_searches]
            pairs = zip(fresh, found[kinds[0]], strict=True)
            more = [ours - theirs.fresh[g] for ours, theirs in pairs]
            wins, losses = sum(each > 0 for each in more), sum(each < 0 for each in more)
            beat = (interval_text(more, sign="+"), f"{wins} : {losses}")
            rows.append(
                (
                    f"{kind} g{g}",
                    f"{mean(one.questions[g] for one in all_searches):.1f}",
                    interval_text([one.seen[g] for one in all_searches]),
                    interval_text(fresh),
                    *(beat if kind != kinds[0] else ("", "")),
                )
            )
    title = f"{task}: interquartile means over {len(found[kinds[0]])} searches (95 % interval)"
    against = f"fresh, less {kinds[0]}"
    table(title, ("", "questions", "in the search", "fresh", against, "won : lost"), rows)


if __name__ == "__main__":
    tyro.cli(main)
