"""Episodes of an own instruction do not end early as the task's do, unless asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Outcome
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, GenerationFinished
from eureka_agent.simulation import MujocoEnvironment
from tests.support.mujoco_tasks import mujoco_task
from tests.support.rewards import completion
from tests.support.runs import StoppedError, config

LEAN = completion(
    'lean = torso_pitch.abs()\nreturn lean, {"lean": lean}',
    "torso_pitch: Tensor",
)
SPIN = completion(
    'spin = -torso_pitch_velocity\nreturn spin, {"spin": spin}',
    "torso_pitch_velocity: Tensor",
)
LIMIT = 1000
"""Length of a hopper's longest episode in steps."""


def instruction(tmp_path: Path, **changes: object) -> ea.SynthesisConfig:
    """Two generations of one reward, trained so briefly that every hopper falls."""
    few = {"samples": 1, "num_envs": 8, "environment_steps": 8 * 32}
    return config(tmp_path, task="do a backflip", env="hopper", **(few | changes))


def first_named(question: ea.FeedbackRequest) -> ea.Feedback:
    return ea.Feedback(question.generation, (question.trained[0].candidate.name,))


def lengths(outcomes: tuple[Outcome, ...]) -> list[float]:
    return [o.evaluation.episode_length for o in outcomes if o.evaluation is not None]


def test_an_episode_continues_after_a_fall_to_the_time_limit() -> None:
    task = mujoco_task("hopper_forward")
    endless = task.without_end()
    fallen = torch.zeros(4, dtype=torch.bool)
    environment = MujocoEnvironment(endless, 4, seed=0)
    for step_number in range(1, LIMIT + 1):
        step = environment.step(torch.zeros(4, 3))
        fallen |= task.terminated(step.state, {})
        assert not step.terminated.any()
        assert step.truncated.all() == (step_number == LIMIT)
    assert fallen.all()
    assert step.finished.length.tolist() == [LIMIT] * 4
    assert task.ends_early  # the task itself has not changed


@pytest.mark.slow
def test_an_own_instruction_uses_whole_episodes_also_after_a_resume(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    asked: list[ea.FeedbackRequest] = []

    def judge(question: ea.FeedbackRequest) -> ea.Feedback:
        asked.append(question)
        return first_named(question)

    def stop(event: Event) -> None:
        if isinstance(event, GenerationFinished):
            raise StoppedError

    proposer = ScriptedProposer([[LEAN], [SPIN]])
    with pytest.raises(StoppedError):
        ea.synthesize(
            instruction(tmp_path), proposer=proposer, judge=judge, sandbox=sandbox, listener=stop
        )
    proposer = ScriptedProposer([[LEAN], [SPIN]])
    result = ea.resume(tmp_path / "run", proposer=proposer, judge=judge, sandbox=sandbox)
    assert lengths(result.outcomes) == [LIMIT, LIMIT]
    assert not result.task.ends_early
    assert [question.task.ends_early for question in asked] == [False, False]
    assert "terminated" not in (result.path / "prompts" / "generation_0.md").read_text()
    assert "time limit" not in "".join(outcome.reflection or "" for outcome in result.outcomes)


@pytest.mark.slow
def test_episodes_of_an_own_instruction_end_as_the_task_does_if_asked(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    proposer = ScriptedProposer([[LEAN], [SPIN]])
    asked = instruction(tmp_path, end="task")
    result = ea.synthesize(asked, proposer=proposer, judge=first_named, sandbox=sandbox)
    assert max(lengths(result.outcomes)) < 0.5 * LIMIT
    assert "def terminated" in (result.path / "prompts" / "generation_0.md").read_text()
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.config.task.end == "task"


def test_the_run_says_how_its_episodes_end(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted = ScriptedProposer([["no code"]])
    once = config(tmp_path, task="wave", env="cartpole", samples=1, generations=1, attempts=1)
    ea.synthesize(once, proposer=scripted, judge=first_named, sandbox=sandbox)
    assert main(["show", str(tmp_path / "run")]) == 0
    assert "episodes end by the time limit alone" in " ".join(capsys.readouterr().out.split())


def test_episodes_of_the_own_instruction_end_as_the_task_defines() -> None:
    assert ea.SynthesisConfig.of(task="hopper").task.ends_early
    with pytest.raises(UsageError, match=r"--end needs --env"):
        ea.SynthesisConfig.of(task="hopper", end="never")
