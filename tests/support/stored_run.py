"""Write a run's folder without running it: two generations of two, the second built on the
first."""

from __future__ import annotations

from pathlib import Path

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import (
    Candidate,
    Completion,
    Feedback,
    Message,
    Outcome,
    PromptRecord,
    RewardSource,
)
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.budgets import training_budget
from eureka_agent.utils.serialization import to_json
from tests.support import run_events as runs

POLICY = bytes(range(256)) * 64
FIRST = "def compute_reward(dof_pos):\n    x = dof_pos[:, 1]\n    return -x.abs(), {'x': x}\n"
SECOND = FIRST.replace("-x.abs()", "-2.0 * x.abs()")


def answer(index: int, code: str) -> Completion:
    return Completion(index, f"```python\n{code}```", "model", 100, 50, 0.25)


def trained(generation: int, completion: Completion, code: str, fitness: float) -> Outcome:
    made = runs.outcome(generation, completion, runs.evaluation(fitness))
    candidate = Candidate(generation, completion, RewardSource(code, ("dof_pos",)), "hash")
    return Outcome(
        candidate, training=made.training, evaluation=made.evaluation, reflection="It went well."
    )


def stored_run(folder: Path, *, finished: bool = True) -> RunDir:
    """Write the run; an unfinished one has completions but no outcomes in its second generation."""
    folder.mkdir(parents=True)
    run = RunDir(folder)
    config = SynthesisConfig.of(
        task="cartpole", budget="quick", generations=2, samples=2, seeds=1, runs_dir=folder.parent
    )
    task = find_task("cartpole")
    with Store.create(run.database, config) as store:
        store.save_task(stored_task(task, training_budget(config, task)))
        store.save_metadata("sandbox", to_json(runs.LAYERS))
        store.save_baselines(runs.baselines(), seconds=1.5)
        first = [answer(0, FIRST), answer(1, "import os\n")]
        _ask(store, 0, first, ())
        failed = Outcome(Candidate(0, first[1], None), failure=runs.REFUSED)
        store.save_outcomes(
            [(trained(0, first[0], FIRST, 5.0), POLICY), (failed, None)], seconds=2.0
        )
        second = [answer(0, SECOND), answer(1, FIRST)]
        _ask(store, 1, second, ("g0c0",))
        if finished:
            both = [trained(1, second[0], SECOND, 7.0), trained(1, second[1], FIRST, runs.NAN)]
            store.save_outcomes([(one, POLICY) for one in both])
            store.save_finished()
        else:
            store.save_check(Candidate(1, second[0], RewardSource(SECOND, ("dof_pos",)), "hash"))
    return run


def _ask(
    store: Store, generation: int, answers: list[Completion], parents: tuple[str, ...]
) -> None:
    messages = (Message("system", "s"), Message("user", f"Generation {generation} ☃ \ud800"))
    store.save_prompt(
        PromptRecord(generation, 0, 0, tuple(a.index for a in answers), messages, parents)
    )
    for completion in answers:
        store.save_completion(generation, completion)
    store.save_feedback(Feedback(generation, (), {}))
