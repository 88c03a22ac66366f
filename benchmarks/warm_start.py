"""Compare trainings that start from a policy with others from random weights, at equal steps.

For each seed the task's human reward is trained first. Then a variation of it, which also asks for
small actions, is trained with another seed for the same number of steps: from random weights, and
from the first training's policy with several standard deviations of the exploration noise. Pairs
share the seed. The last row has twice the steps: what the first training cost is then in both.

Prints interquartile means of the fitness with 95 % bootstrap intervals over the seeds, and of the
difference to a start from random weights. Run with `python -m benchmarks.warm_start`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import tyro

from benchmarks.measure import table
from benchmarks.search import interval_text
from eureka_agent.checks import check_source
from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.records import RewardSource
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from eureka_agent.training import initial_policy
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.initial_policy import policy_to_text
from eureka_agent.training.job import JobReward, TrainedReward, TrainingJob, run_job

_SCRATCH, _LONGER = "from random weights", "from random weights, twice the steps"
_OTHER_SEED = 10_000
"""The second training has the seed of the first one plus this."""
_VARIATION = """

def compute_reward({parameters}):
    total, components = first_reward({names})
    effort = 0.1 * action.square().mean(dim=1)
    components["effort"] = -effort
    return total - effort, components
"""


def main(
    tasks: tuple[str, ...] = ("cartpole", "hopper_forward"),
    steps: tuple[int, ...] = (10_000, 100_000),
    std_shares: tuple[float, ...] = (1.0, 0.5, 0.25),
    held_share: float = initial_policy.HELD_SHARE,
    num_envs: int | None = None,
    seeds: int = 10,
    budget: BudgetName = "quick",
    quick: bool = False,
) -> None:
    """Train all pairs and print one table per task.

    Args:
        tasks: Names of the tasks.
        steps: Environment steps of each training, for each task.
        std_shares: Exploration noise of a start from a policy, as shares of the usual one.
        held_share: Share of a training from a policy in which only the value function learns.
        num_envs: Environments of each training, in place of the budget's.
        seeds: Pairs of trainings.
        budget: The other settings of a training.
        quick: One task, two seeds, hardly any training: only shows that it runs.
    """
    if quick:
        tasks, steps, std_shares, seeds = tasks[:1], (2_000,), (0.5,), 2
    initial_policy.HELD_SHARE = held_share
    with Sandbox() as sandbox:
        for name, count in zip(tasks, steps, strict=True):
            task = load_task(name)
            settings = replace(budgets_of(task)[budget], environment_steps=count)
            if num_envs is not None:
                settings = replace(settings, num_envs=num_envs)
            by_seed = [_pair(task, settings, std_shares, seed, sandbox) for seed in range(seeds)]
            _print(task, settings, by_seed)


def _pair(
    task: Task, budget: TrainingBudget, std_shares: Sequence[float], seed: int, sandbox: Sandbox
) -> dict[str, float]:
    """Return the fitness of each way to train the variation, with one seed."""
    human = check_source(task.human_reward, task.reward_inputs)
    varied = _variation(human, task)
    first = _train(task, budget, JobReward("human", human), seed, sandbox)
    assert first.policy is not None
    again = seed + _OTHER_SEED
    scratch = JobReward("varied", varied)
    warm = replace(scratch, initial_policy=policy_to_text(first.policy))
    longer = replace(budget, environment_steps=2 * budget.environment_steps)
    trained = {_SCRATCH: _train(task, budget, scratch, again, sandbox)}
    for share in std_shares:
        noise = replace(budget, initial_std=budget.initial_std * share)
        trained[f"from the policy, {share:g} of the noise"] = _train(
            task, noise, warm, again, sandbox
        )
    trained[_LONGER] = _train(task, longer, scratch, again, sandbox)
    known = {"the policy itself": first, **trained}
    return {name: each.evaluation.fitness for name, each in known.items() if each.evaluation}


def _train(
    task: Task, budget: TrainingBudget, reward: JobReward, seed: int, sandbox: Sandbox
) -> TrainedReward:
    (trained,) = run_job(
        TrainingJob(task.name, (reward,), budget, seed=seed), task=task, sandbox=sandbox
    )
    if trained.evaluation is None:
        raise RuntimeError(f"one of our trainings failed: {trained.failure}")
    return trained


def _variation(human: RewardSource, task: Task) -> RewardSource:
    """Return a reward that is the human one less a small cost of actions."""
    named = human.code.replace("def compute_reward(", "def first_reward(")
    parameters = dict.fromkeys((*human.parameters, "action"))
    code = named + _VARIATION.format(
        parameters=", ".join(parameters), names=", ".join(human.parameters)
    )
    return check_source(code, task.reward_inputs)


def _print(task: Task, budget: TrainingBudget, by_seed: Sequence[Mapping[str, float]]) -> None:
    rows = []
    for name in by_seed[0]:
        values = [each[name] for each in by_seed]
        more = [each[name] - each[_SCRATCH] for each in by_seed]
        wins, losses = sum(each > 0 for each in more), sum(each < 0 for each in more)
        beat = (
            (interval_text(more, sign="+"), f"{wins} : {losses}") if name != _SCRATCH else ("", "")
        )
        rows.append((name, interval_text(values), *beat))
    table(
        f"{task.name}, {task.fitness_unit}: {budget.environment_steps:,} environment steps,"
        f" {len(by_seed)} seeds, interquartile means (95 % interval)",
        ("", "fitness", "difference", "won : lost"),
        rows,
    )


if __name__ == "__main__":
    tyro.cli(main)
