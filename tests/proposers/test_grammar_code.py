"""The grammar's code passes the checks, runs on any state, and can be read back."""

from __future__ import annotations

import math
import re

import pytest
import torch

from eureka_agent.checks import check_source
from eureka_agent.extract import extract
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.grammar import genome as genomes
from eureka_agent.proposers.grammar.emit import component_names, to_code
from eureka_agent.proposers.grammar.genome import Genome
from eureka_agent.records import Prompt
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from tests.support.grammar import (
    ARM,
    ODD,
    PAPER_TASKS,
    WALKER,
    code_of,
    load_reward,
    random_states,
    run_reward,
    term,
)

ROWS = 6
REAL_TASKS = ("ant_forward", "ball_balance", "cartpole", "hopper_forward", "pen_spinning")


@pytest.mark.parametrize("name", [*PAPER_TASKS, *REAL_TASKS])
def test_two_hundred_rewards_keep_the_contract(name: str) -> None:
    task: Task = PAPER_TASKS[name] if name in PAPER_TASKS else load_task(name)
    spec = task.reward_inputs
    states = random_states(spec, ROWS, seed=0)
    zeros = {key: torch.zeros_like(value) for key, value in states.items()}
    before = {key: value.clone() for key, value in states.items()}
    for completion in GrammarProposer(task, seed=1).propose(
        dict.fromkeys(range(200), Prompt(0, ()))
    ):
        code = code_of(completion)
        source = check_source(code, spec)
        genome = genomes.from_text(completion.text)
        assert genome is not None
        assert to_code(genome, spec) == code
        assert extract(completion.text).strip() == code.strip()
        used = re.findall(r"\w+", code.split("-> tuple")[1].split('"""')[2])
        assert set(source.parameters) <= set(used), "every parameter is read"
        for inputs in (states, zeros):
            reward, components = run_reward(source, inputs)
            assert tuple(components) == component_names(genome, spec)
            assert all(
                value.shape == (ROWS,) and value.isfinite().all()
                for value in (reward, *components.values())
            )
            assert torch.allclose(
                reward, torch.stack(list(components.values())).sum(0), atol=1e-4, rtol=1e-4
            )
        whole, _ = run_reward(source, states)
        half, _ = run_reward(source, {key: value[: ROWS // 2] for key, value in states.items()})
        assert torch.allclose(whole[: ROWS // 2], half, atol=1e-4, rtol=1e-4), (
            "a row depends only on its environment"
        )
    assert all(torch.equal(before[key], states[key]) for key in states)


def test_a_reward_with_two_terms_computes_the_expected_values() -> None:
    genome = Genome(
        (
            term(2.0, "distance", "cube", "cube_goal", shape="exp", scale=0.5),
            term(0.1, "effort", "action"),
        )
    )
    code = to_code(genome, ARM.reward_inputs)
    reward, components = load_reward(code)(
        cube=torch.tensor([[3.0, 0.0, 0.0]]),
        cube_goal=torch.tensor([[0.0, 4.0, 0.0]]),
        action=torch.tensor([[0.5, -1.0]]),
    )
    # |(3, -4, 0)| = 5; 2 exp(-5 / 0.5) = 9.08e-5.  0.5^2 + 1^2 = 1.25; -0.1 * 1.25 = -0.125.
    assert components["cube_to_cube_goal"].item() == pytest.approx(2 * math.exp(-10), rel=1e-4)
    assert components["action_effort"].item() == pytest.approx(-0.125)
    assert reward.item() == pytest.approx(-0.125 + 2 * math.exp(-10))


@pytest.mark.parametrize(
    ("shape", "expected"),
    # The gripper's opening is 0.3, the scale 0.1, the weight 2.
    [
        ("linear", -0.6),
        ("exp", 2 * math.exp(-3)),
        ("tanh", 2 * (1 - math.tanh(3))),
        ("inverse", 0.2),
        ("indicator", 0.0),
    ],
)
def test_shapes_of_a_cost(shape: genomes.Shape, expected: float) -> None:
    code = to_code(
        Genome((term(2.0, "magnitude", "gap", shape=shape, scale=0.1),)), ARM.reward_inputs
    )
    reward, _ = load_reward(code)(gap=torch.tensor([0.3]))
    assert reward.item() == pytest.approx(expected, rel=1e-5)


def test_orientation_measures() -> None:
    half = math.sqrt(0.5)
    spec = WALKER.reward_inputs
    upright = load_reward(to_code(Genome((term(1.0, "upright", "torso_quat"),)), spec))
    # Scalar first: none, 90 degrees about x (z axis level), 180 degrees about y (upside down).
    turns = torch.tensor([[1.0, 0.0, 0.0, 0.0], [half, half, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    assert upright(torso_quat=turns)[0].tolist() == pytest.approx([1.0, 0.0, -1.0], abs=1e-6)
    rotation = load_reward(
        to_code(Genome((term(-1.0, "rotation", "cube_rot", "goal_rot"),)), ARM.reward_inputs)
    )
    goal = torch.tensor([[0.0, 0.0, 0.0, 1.0]] * 3)
    # Scalar last: 90 degrees about x, the same with the sign turned, none.
    rotations = torch.tensor(
        [[half, 0.0, 0.0, half], [-half, 0.0, 0.0, -half], [0.0, 0.0, 0.0, 1.0]]
    )
    assert rotation(cube_rot=rotations, goal_rot=goal)[0].tolist() == pytest.approx(
        [math.pi / 2, math.pi / 2, 0.0], abs=1e-3
    )


def test_progress_uses_the_current_goal() -> None:
    code = to_code(Genome((term(1.0, "progress", "cube", "cube_goal"),)), ARM.reward_inputs)
    reward, _ = load_reward(code)(
        cube=torch.tensor([[1.0, 0.0, 0.0]]),
        prev_cube=torch.tensor([[0.5, 0.0, 0.0]]),
        cube_goal=torch.tensor([[2.0, 0.0, 0.0]]),
    )
    assert reward.item() == pytest.approx(0.5)  # 1.5 m away before, 1 m now


def test_local_variables_do_not_overwrite_state_names() -> None:
    genome = Genome(
        (term(1.0, "flag", "alive"), term(1.0, "alive"), term(1.0, "magnitude", "reward", axis=1))
    )
    spec = ODD.reward_inputs
    assert component_names(genome, spec) == ("alive", "alive_2", "reward_tilt_angle_size")
    reward, components = load_reward(to_code(genome, spec))(
        alive=torch.tensor([0.0]), reward=torch.tensor([[9.0, -0.5]])
    )
    assert [value.item() for value in components.values()] == [0.0, 1.0, -0.5]
    assert reward.item() == 0.5


def test_invalid_genomes_are_not_read() -> None:
    line = genomes.to_line(Genome((term(1.5, "height", "cube"),)))
    assert genomes.from_text(f"text\n{line}\nmore") == Genome((term(1.5, "height", "cube"),))
    for broken in (
        "no genome",
        line.replace("1.5", "Infinity"),
        line.replace('"scale":1.0', '"scale":0'),
        line.replace('"scale":1.0', '"scale":"a"'),
        line[:-2],
        'Genome: {"terms":[]}',
        'Genome: {"terms":[{"weight":1,"factors":[]}]}',
    ):
        assert genomes.from_text(broken) is None
