"""Two short searches with fixed seeds give exactly the recorded outcomes, policies and prompts.

After an intended change of behaviour run `UPDATE_SNAPSHOTS=1 pytest` and read the difference.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import mujoco
import pytest
import torch

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Baseline, Evaluation, Outcome
from tests.support.rewards import NAN, NO_CODE, UNKNOWN_NAME, completion, upright

RECORD = Path(__file__).parents[1] / "snapshots" / "pinned.json"


def forward(weight: float) -> str:
    """Return a valid reward for the hopper."""
    return completion(
        "speed = torso_velocity[:, 0]\n"
        f"effort = -{weight} * torch.sum(action**2, dim=-1)\n"
        'return speed + effort, {"speed": speed, "effort": effort}',
        "torso_velocity: Tensor, action: Tensor",
    )


SCRIPTS = {
    "cartpole": [[upright(0.1), NO_CODE, upright(0.2)], [upright(0.3), UNKNOWN_NAME, upright(0.1)]],
    "hopper_forward": [[forward(0.001), forward(0.1), NAN.replace("dof_pos[", "torso_position[")]],
}


@pytest.mark.parametrize("task", SCRIPTS)
def test_a_search_with_a_fixed_seed_ends_as_recorded(
    task: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    script = SCRIPTS[task]
    proposer = ScriptedProposer(script)
    config = ea.SynthesisConfig.of(
        task=task,
        budget="quick",
        generations=len(script),
        samples=3,
        seeds=1,
        repairs=0,
        num_envs=8,
        environment_steps=1024,
        threads=1,
        runs_dir=tmp_path,
        run_name="run",
    )
    result = ea.synthesize(config, proposer=proposer, sandbox=sandbox)
    prompts = [
        [f"{message.role}: {message.content}" for message in prompt.messages]
        for prompt in proposer.prompts
    ]
    assert result.policy is not None
    found = {
        "outcomes": _hash([_numbers(outcome) for outcome in result.outcomes]),
        "messages": [
            outcome.failure.message if outcome.failure else "" for outcome in result.outcomes
        ],
        "baselines": _hash([_reference(baseline) for baseline in result.baselines]),
        "policy": hashlib.sha256(result.policy.to_bytes()).hexdigest(),
        "prompts": [_hash(prompt) for prompt in prompts],
    }
    assert found == _recorded(task, found)


def _numbers(outcome: Outcome) -> list[object]:
    """Return a candidate's results without times."""
    training = outcome.training
    curves = (training.reward, *training.components, training.fitness) if training else ()
    return [
        outcome.candidate.name,
        [[curve.name, *curve.values, curve.minimum, curve.mean, curve.maximum] for curve in curves],
        _measured(outcome.evaluation) if outcome.evaluation else None,
    ]


def _reference(baseline: Baseline) -> list[object]:
    return [baseline.name, _measured(baseline.evaluation)]


def _measured(evaluation: Evaluation) -> list[object]:
    return [
        evaluation.fitness,
        evaluation.fitness_low,
        evaluation.fitness_high,
        evaluation.episode_length,
    ]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _recorded(task: str, found: Mapping[str, object]) -> object:
    """Return the record of a task; skip if another CPU or library rounds differently."""
    place = (
        f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}, mujoco"
        f" {mujoco.__version__}"
    )
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        recorded = {**recorded, "made with": place, task: found}
        RECORD.write_text(json.dumps(recorded, indent=2) + "\n")
    if recorded["made with"] != place:
        pytest.skip(f"recorded with {recorded['made with']}, this is {place}")
    return recorded[task]
