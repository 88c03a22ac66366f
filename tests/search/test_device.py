"""A whole run with `--device cuda` on Warp's CPU device: where rewards run, and equal results."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("mujoco_warp")

from eureka_agent import SynthesisConfig, synthesize
from eureka_agent.config import TrainingBudget, TrainingConfig
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Outcome
from eureka_agent.report.announcements import where_rewards_run
from eureka_agent.search.events import Event, TrainingStarted
from tests.support.rewards import completion, upright
from tests.support.warp_cpu import put_in_place_of_cuda

pytestmark = pytest.mark.timeout(900)  # compiling, on a busy machine

TINY = TrainingBudget(num_envs=8, environment_steps=512, evaluation_episodes=8)

READS_A_VALUE = completion(
    "upright = torch.cos(dof_pos[:, 1])\nif float(upright.min()) > 2.0:\n    upright = -upright\n"
    'return upright, {"upright": upright}'
)
"""Its operations could depend on a value, so it has no graph."""
BREAKS_LATER = completion(
    'x = torch.log(1.0 - action.abs()).sum(dim=-1)\nreturn x, {"x": x}', "action: Tensor"
)
"""Sample states have uniform actions; in training some are clipped to 1."""


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingConfig, "override", lambda self, budget: TINY)
    put_in_place_of_cuda(monkeypatch)


def run(
    tmp_path: Path, sandbox: Sandbox, name: str, device: str, *answers: str
) -> tuple[tuple[Outcome, ...], list[str]]:
    """Return the outcomes of one generation, and the messages about where its rewards ran."""
    config = SynthesisConfig.of(
        task="cartpole",
        generations=1,
        samples=len(answers),
        seeds=1,
        device=device,
        runs_dir=tmp_path,
        run_name=name,
    )
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            said.extend(where_rewards_run(event.rewards))

    return synthesize(
        config, proposer=ScriptedProposer([answers]), listener=listen, sandbox=sandbox
    ).outcomes, said


def curves(outcome: Outcome) -> list[float]:
    """Return an outcome's numbers, from the first rollout to the evaluation."""
    assert outcome.training is not None
    assert outcome.evaluation is not None
    trained = outcome.training
    numbers = [
        value
        for curve in (trained.reward, *trained.components, trained.fitness)
        for value in curve.values
    ]
    return [number for number in numbers if math.isfinite(number)] + [outcome.fitness]


def test_rewards_run_as_operations_on_the_device(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = (upright(0.1), READS_A_VALUE)
    outcomes, said = run(tmp_path, sandbox, "device", "cuda", *answers)
    assert said == [
        "Rewards run as tensor operations on cuda: human reward.",
        "Rewards run as tensor operations on cuda: g0c0; in sandboxed processes on the CPU: g0c1.",
    ]
    on_cpu, nothing = run(tmp_path, sandbox, "cpu", "cpu", *answers)
    assert nothing == []
    monkeypatch.setattr(SandboxedReward, "graph", lambda self, state, counts: None)
    all_sandboxed, said = run(tmp_path, sandbox, "sealed", "cuda", *answers)
    assert said[1] == "Rewards run in sandboxed processes on the CPU: g0c0, g0c1."
    for outcome, in_sandbox, with_mujoco_c in zip(outcomes, all_sandboxed, on_cpu, strict=True):
        assert len(curves(outcome)) > 10
        assert curves(outcome) == pytest.approx(curves(in_sandbox), rel=1e-5, abs=1e-5)
        assert curves(outcome)[0] == pytest.approx(
            curves(with_mujoco_c)[0], rel=1e-4
        )  # later on, float32 parts them
        assert outcome.fitness == pytest.approx(with_mujoco_c.fitness, rel=0.1)
    assert curves(outcomes[0]) != pytest.approx(curves(outcomes[1]), rel=1e-3)


def test_a_reward_that_fails_in_training_has_the_same_message_on_the_device(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken, fine), said = run(tmp_path, sandbox, "device", "cuda", BREAKS_LATER, upright(0.1))
    assert said[1] == "Rewards run as tensor operations on cuda: g0c0, g0c1."
    monkeypatch.setattr(SandboxedReward, "graph", lambda self, state, counts: None)
    (in_sandbox, _), _ = run(tmp_path, sandbox, "sealed", "cuda", BREAKS_LATER, upright(0.1))
    assert broken.failure == in_sandbox.failure
    assert broken.failure is not None
    assert broken.failure.stage == "training"
    assert "NaN or infinite values: the reward in" in broken.failure.message
    assert fine.evaluation is not None


def test_a_cpu_only_trainer_refuses_the_device(tmp_path: Path, sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="--trainer sb3 trains on the CPU"):
        synthesize(
            SynthesisConfig.of(task="cartpole", device="cuda", trainer="sb3", runs_dir=tmp_path),
            sandbox=sandbox,
        )
