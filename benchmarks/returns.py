"""Compare the policies of our PPO and stable-baselines3's after the same environment steps.

Gymnasium's Hopper-v5 and Ant-v5 (see `gymnasium_tasks`), both sides with the same model,
integrator, frame skip, reward, network, rows per update, epochs, minibatches, discount, lambda and
initial learning rate:

    ours              the population PPO with one candidate, its reward in the sandbox
    sb3               stable-baselines3's PPO on 8 of Gymnasium's own environments, observations and
                      rewards normalised
    sb3-default-rate  the same with the library's default learning rate, which is lower

Our learning rate then follows the KL divergence; theirs is constant. All policies are measured by
the return of Gymnasium's own environment, without exploration, from the same initial states. For
every policy of stable-baselines3 a check compares its own `predict` with our `Policy` made of it,
throughout an episode. Every result goes to `--out` at once; trainings that are in there with the
same steps and episodes are not run again. Run with `python -m benchmarks.returns`; needs the extra
sb3.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from numpy.typing import NDArray
from stable_baselines3 import PPO

from benchmarks.gymnasium_tasks import TASKS, Benchmarked, GymnasiumTask
from benchmarks.measure import median_interval, ratio, stepping_of, table
from benchmarks.sb3_ppo import make_environment, make_ppo, total_steps
from eureka_agent.checks import check_source
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.training import PopulationTrainer, TrainerSettings
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.training.sb3 import export

Side = Literal["ours", "sb3", "sb3-default-rate"]
Array = NDArray[Any]
Act = Callable[[Array], Array]
"""From one observation to one action."""

DEFAULT_RATE = 3e-4
FRESH_SEED = 1_000_000
"""First seed of the evaluation, above those of all trainings."""
SAME_ACTION = 1e-5
"""Two forms of a policy differ by rounding (observed: 3e-7). Returns would not show that: in an
ant, a difference in the last bit of every action grows ten thousandfold in 25 steps, and contacts
turn it into another episode after 50."""


@dataclass(frozen=True)
class Result:
    """One training and its policy's results; a line of the file."""

    env: Benchmarked
    side: Side
    seed: int
    steps: int
    setting: str
    """Environments, horizon and minibatches of an update, and lambda of the advantages."""
    seconds: float
    """Of the training alone."""
    returns: tuple[float, ...]
    """Of each episode."""
    lengths: tuple[int, ...]

    @property
    def score(self) -> float:
        """The mean return."""
        return statistics.mean(self.returns)


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant"),
    sides: tuple[Side, ...] = ("ours", "sb3"),
    seeds: int = 5,
    first_seed: int = 0,
    steps: int = 1_000_000,
    episodes: int = 20,
    out: Path | None = Path("returns.jsonl"),
    quick: bool = False,
) -> None:
    """Train, evaluate and print one table per environment.

    Args:
        envs: Gymnasium environments to learn.
        sides: Trainers to compare; ratios are to `ours`.
        seeds: Trainings of each side.
        first_seed: Seed of the first of them, so that several processes can share the work.
        steps: Environment steps of each training, rounded to rollouts.
        episodes: Episodes of each evaluation.
        out: File of results to continue; None keeps nothing.
        quick: One rollout, one seed, two episodes, nothing kept: only shows that it runs.
    """
    torch.set_num_threads(1)
    if quick:
        seeds, steps, episodes, out = 1, 1, 2, None
    known = _read(out)
    with Sandbox() as sandbox:
        for env in envs:
            budget = replace(budgets_of(TASKS[env])["normal"], environment_steps=steps)
            results = []
            # all sides of a seed in a row, on an equally busy machine
            for seed in range(first_seed, first_seed + seeds):
                for side in sides[seed % len(sides) :] + sides[: seed % len(sides)]:
                    result = _find(
                        known, (env, side, seed, total_steps(budget), _setting(budget), episodes)
                    )
                    if result is None:
                        result = _run(env, side, seed, budget, episodes, sandbox)
                        _append(out, result)
                    results.append(result)
            _print(TASKS[env], results)


def _run(
    env: Benchmarked, side: Side, seed: int, budget: TrainingBudget, episodes: int, sandbox: Sandbox
) -> Result:
    task = TASKS[env]
    act, seconds = (
        _ours(task, budget, seed, sandbox) if side == "ours" else _sb3(task, budget, seed, side)
    )
    returns, lengths = _evaluate(task, act, episodes)
    result = Result(
        env, side, seed, total_steps(budget), _setting(budget), seconds, returns, lengths
    )
    print(
        f"{env} {side} seed {seed}: return {result.score:.0f}, trained in {seconds:.1f} s",
        flush=True,
    )
    return result


def _ours(
    task: GymnasiumTask, budget: TrainingBudget, seed: int, sandbox: Sandbox
) -> tuple[Act, float]:
    reward = check_source(task.human_reward, task.reward_inputs)
    sandboxed = sandbox.open(reward, task.reward_inputs, max_rows=budget.num_envs * budget.horizon)
    start = time.perf_counter()
    (result,) = PopulationTrainer().train(task, [sandboxed], TrainerSettings(budget, seed=seed))
    seconds = time.perf_counter() - start
    sandboxed.close()
    if result.policy is None:
        raise RuntimeError(f"our training failed: {result.error}")
    return _policy_acts(result.policy), seconds


def _sb3(task: GymnasiumTask, budget: TrainingBudget, seed: int, side: Side) -> tuple[Act, float]:
    environment = make_environment(task, budget)
    start = time.perf_counter()
    model = make_ppo(
        environment,
        budget,
        seed,
        learning_rate=DEFAULT_RATE if side == "sb3-default-rate" else None,
    )
    model.learn(total_steps(budget))
    seconds = time.perf_counter() - start
    environment.close()
    _demand_same_actions(task, model)
    return _predicts(model), seconds


def _policy_acts(policy: Policy) -> Act:
    @torch.no_grad()
    def act(observation: Array) -> Array:
        action: Array = policy(torch.as_tensor(observation, dtype=torch.float32)[None])[0].numpy()
        return action

    return act


def _predicts(model: PPO) -> Act:
    """Return the library's own policy, with the observations normalised by `VecNormalize`."""
    statistics_of_training = model.get_vec_normalize_env()

    def act(observation: Array) -> Array:
        action: Array = model.predict(
            statistics_of_training.normalize_obs(observation), deterministic=True
        )[0]
        return action

    return act


def _demand_same_actions(task: GymnasiumTask, model: PPO) -> None:
    """Raise unless both forms of a policy act the same throughout an episode."""
    theirs, ours = _predicts(model), _policy_acts(export(model))
    differences: list[float] = []

    def act(observation: Array) -> Array:
        action = theirs(observation)
        differences.append(float(abs(action - ours(observation)).max()))
        return action

    _evaluate(task, act, 1)
    if max(differences) > SAME_ACTION:
        raise RuntimeError(
            f"the actions of stable-baselines3's policy and ours differ by {max(differences)}"
        )
    print(
        f"the two forms of one policy differ by {max(differences):.1e} in {len(differences)} steps",
        flush=True,
    )


def _evaluate(
    task: GymnasiumTask, act: Act, episodes: int
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return each episode's return and length in Gymnasium's environment."""
    environment = task.maker()()
    returns: list[float] = []
    lengths: list[int] = []
    for episode in range(episodes):
        observation, _ = environment.reset(seed=FRESH_SEED + episode)
        paid: list[float] = []
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = environment.step(act(observation))
            paid.append(float(reward))
            done = terminated or truncated
        returns.append(sum(paid))
        lengths.append(len(paid))
    environment.close()
    return tuple(returns), tuple(lengths)


def _read(out: Path | None) -> list[Result]:
    if out is None or not out.exists():
        return []
    lines = out.read_text(encoding="utf-8").splitlines()
    try:
        return [_result(json.loads(line)) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise SystemExit(
            f"{out} does not hold results of this benchmark ({error}): give another file as --out"
        ) from error


def _result(line: dict[str, Any]) -> Result:
    return Result(**{**line, "returns": tuple(line["returns"]), "lengths": tuple(line["lengths"])})


def _find(known: Sequence[Result], wanted: tuple[object, ...]) -> Result | None:
    same = (
        r for r in known if (r.env, r.side, r.seed, r.steps, r.setting, len(r.returns)) == wanted
    )
    return next(same, None)


def _setting(budget: TrainingBudget) -> str:
    return (
        f"{budget.num_envs} x {budget.horizon} in {budget.minibatches} minibatches, lambda"
        f" {budget.gae_lambda}"
    )


def _append(out: Path | None, result: Result) -> None:
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def _print(task: GymnasiumTask, results: Sequence[Result]) -> None:
    by_side: dict[Side, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.seed):
        by_side.setdefault(result.side, []).append(result)
    ours = [result.seconds for result in by_side.get("ours", [])]
    rows = []
    for side, runs in by_side.items():
        scores, seconds = [run.score for run in runs], [run.seconds for run in runs]
        low, high, sure = median_interval(scores)
        length = statistics.median(statistics.mean(run.lengths) for run in runs)
        rows.append(
            (
                side,
                f"{statistics.median(scores):.0f}",
                f"{low:.0f} to {high:.0f} ({sure:.0%})",
                f"{statistics.mean(scores):.0f}"
                + (f" ({_standard_error(scores):.0f})" if len(scores) > 1 else ""),
                f"{length:.0f}",
                f"{statistics.median(seconds):.1f}",
                f"{ratio(seconds, ours):.2f}x" if ours else "-",
            )
        )
    table(
        f"{task.name} ({stepping_of(task.model)}): {results[0].steps} environment steps "
        f"({results[0].setting}), {len(scores)} seeds, "
        f"{len(results[0].returns)} episodes each",
        (
            "",
            "median return",
            "its interval",
            "mean (error)",
            "length",
            "seconds",
            "ours is faster by",
        ),
        rows,
    )


def _standard_error(scores: Sequence[float]) -> float:
    return statistics.stdev(scores) / math.sqrt(len(scores))


if __name__ == "__main__":
    tyro.cli(main)
