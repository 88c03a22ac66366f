"""The replay of races in `benchmarks/racing.py` has the same outcome as a real race."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from benchmarks.race_records import record, replay
from eureka_agent.config import Race, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Candidate
from eureka_agent.search.evaluator import Evaluator, PreparedCandidate
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from eureka_agent.training.job import JobReward
from eureka_agent.utils.serialization import from_json, to_json


def held(
    task: Task, budget: TrainingBudget, sandbox: Sandbox, race: Race
) -> tuple[int, float, int]:
    """Race the grammar's first rewards; return the survivors' number and best fitness, all steps."""
    proposer = GrammarProposer(task, 0, instruction=task.description)
    completions = proposer.propose(
        dict.fromkeys(range(4), write_prompt(task, task.description, 0, (), ()))
    )
    evaluator = Evaluator(task, budget, sandbox, seed=0, race=race)
    with ExitStack() as rewards:
        prepared = [
            evaluator.prepare(Candidate(0, completion, None), rewards) for completion in completions
        ]
        known = [each for each in prepared if isinstance(each, PreparedCandidate)]
        candidates = [each.candidate for each in known]
    results = evaluator.train(
        [JobReward(c.name, c.reward, races=True) for c in candidates], candidates
    )
    records = [result.training for result in results if result.training]
    ends = [result for result in results if result.training and not result.training.stopped]
    fitness = max(result.evaluation.fitness for result in ends if result.evaluation)
    return len(ends), fitness, sum(record.environment_steps for record in records)


@pytest.mark.slow
def test_replay_has_the_outcome_of_the_race() -> None:
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=16, environment_steps=16 * 16 * 40, horizon=16, hidden=(16,))
    with Sandbox() as sandbox:
        known = record(task, budget, sandbox, seed=0, samples=4)
        known = from_json(type(known), to_json(known))  # as from the file
        for race in (Race((0.2, 0.4), (0.5, 0.25), keep_ties=False), Race((0.5,), (0.25,))):
            to_the_end, fitness, steps = held(task, budget, sandbox, race)
            raced = replay(known, race)
            assert raced.to_the_end == to_the_end
            assert raced.steps == steps
            assert raced.evaluation.fitness == pytest.approx(fitness)
            assert to_the_end < 4  # some candidate was stopped
    assert replay(known, None).steps == 4 * 16 * 16 * 40
