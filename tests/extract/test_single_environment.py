"""Rewards of one environment (Text2Reward's form) compute the same for a batch as one by one."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from eureka_agent.api.evaluate_reward import check_file
from eureka_agent.errors import CandidateError, CheckError
from eureka_agent.extract import extract
from eureka_agent.extract.reading import reward_in
from eureka_agent.extract.single_environment.state import state_named
from eureka_agent.jail import Sandbox
from eureka_agent.tasks.registry import find_task
from tests.support.text2reward import ATTRIBUTES, REWARDS, SPEC

_ENVIRONMENTS = 200
_NAMES = {"np": np, "math": math, "Tuple": tuple, "Dict": dict}


def _states(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    return {
        name: random.normal(size=(_ENVIRONMENTS, *shape)) for name, shape in SPEC.shapes.items()
    }


def _environment(state: dict[str, np.ndarray[Any, Any]], row: int) -> SimpleNamespace:
    """Return the object that the original reward reads."""
    root = SimpleNamespace()
    for path, name in ATTRIBUTES.items():
        *parents, last = path.split(".")
        owner = root
        for parent in parents:
            if not hasattr(owner, parent):
                setattr(owner, parent, SimpleNamespace())
            owner = getattr(owner, parent)
        setattr(owner, last, SPEC.constants[name] if name in SPEC.constants else state[name][row])
    return root


def _one_by_one(source: str, state: dict[str, np.ndarray[Any, Any]]) -> list[Any]:
    """Run the original, our own code, once per environment."""
    namespace: dict[str, Any] = dict(_NAMES)
    exec(compile(source, "original", "exec"), namespace)
    reward = namespace["compute_dense_reward"]
    extra = (None,) if "obs)" in source else ()
    return [
        reward(_environment(state, row), state["action"][row], *extra)
        for row in range(_ENVIRONMENTS)
    ]


def _as_batch(source: str, state: dict[str, np.ndarray[Any, Any]]) -> tuple[Any, dict[str, Any]]:
    reward = reward_in(source, SPEC, of="file")
    namespace: dict[str, Any] = {}
    exec(compile(reward.code, "translated", "exec"), namespace)
    given = {
        name: SPEC.constants[name] if name in SPEC.constants else torch.from_numpy(state[name])
        for name in reward.parameters
    }
    pair: tuple[Any, dict[str, Any]] = namespace["compute_reward"](**given)
    return pair


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("source", REWARDS.values(), ids=REWARDS.keys())
def test_a_translated_reward_equals_the_original_in_every_environment(
    source: str, seed: int
) -> None:
    state = _states(seed)
    results = _one_by_one(source, state)
    pairs = [one if isinstance(one, tuple) else (one, {}) for one in results]
    total, components = _as_batch(source, state)
    expected = np.array([pair[0] for pair in pairs], dtype=float)
    assert len(np.unique(expected)) > 1
    np.testing.assert_allclose(total.numpy(), expected, rtol=1e-6, atol=1e-9)
    for name, values in components.items():
        each = [pair[1].get(name, 0.0) for pair in pairs]
        np.testing.assert_allclose(values.numpy(), each, rtol=1e-6, atol=1e-9)
    assert {*components} == {name for _, parts in pairs for name in parts}


def test_a_translated_reward_is_read_again_unchanged() -> None:
    for source in REWARDS.values():
        code = reward_in(source, SPEC).code
        assert reward_in(code, SPEC).code == code
        assert reward_in(f"Here it is:\n```python\n{source}```", SPEC).code == code


def test_a_method_of_a_class_is_translated() -> None:
    method = REWARDS["reach"].replace("\n", "\n    ")
    assert reward_in(f"class Env:\n    {method}", SPEC) == reward_in(REWARDS["reach"], SPEC)


def test_a_translated_reward_runs_in_the_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "reward.py"
    path.write_text(
        "import numpy as np\n"
        "def compute_dense_reward(self, action) -> float:\n"
        "    reward = self.torso_velocity[0] - 0.01 * np.linalg.norm(action)\n"
        "    if abs(self.torso.pitch) > 0.1:\n"
        "        return -1.0\n"
        "    return reward\n"
    )
    with Sandbox() as sandbox:
        assert check_file(path, find_task("hopper_forward"), sandbox) == ()


@pytest.mark.parametrize(
    "body",
    [
        "torch.exp(-gripper_openness)",
        "ee_position[:, 0] - gripper_openness",
        "gripper_openness.abs()",
        "F.relu(gripper_openness)",
    ],
)
def test_a_batched_reward_that_is_annotated_as_float_stays_as_it_is(body: str) -> None:
    code = f"def compute_reward(ee_position, gripper_openness) -> float:\n    return {body}, {{}}\n"
    assert reward_in(code, SPEC).code == extract(code)


REFUSED = {
    "an unknown attribute": (
        "return self.robot.elbow.angle",
        "reads robot.elbow.angle, which this task does not have: read self.<name> with one of ee_position, ",
    ),
    "a method of the object": ("return self.check_grasp()", "calls self.check_grasp, but"),
    "a method of a part": ("return self.robot.get_qpos()[0]", "reads robot.get_qpos, which"),
    "an array as the result": ("return self.goal_position", "return one number, not an array"),
    "a loop over time": ("while action[0] > 1:\n        x = 1\n    return 1.0", "'while' has no batched form: use assignments"),
    "a loop over entries": ("for x in action:\n        y = x\n    return action[0]", r"loop over range\(n\)"),
    "no return in a branch": ("if action[0] > 0:\n        return 1.0", "return a value at the end"),
    "two shapes of one variable": (
        "x = 0\n    if action[0] > 0:\n        x = action\n    return x",
        "x is a number in one branch and an array in another: use two names",
    ),
    "an array as a condition": ("if action > 0:\n        return 1\n    return 2", "needs np.any or np.all"),
    "a change in place": ("x = action\n    x[0] = 1\n    return x[0]", "changes an array in place"),
    "an array that is changed in place": ("x = action\n    x += 1\n    return x[0]", "changes an array in place"),
    "a random number": ("return np.random.rand() + action[0]", "random.rand is not translated"),
    "an index that is computed": ("return action[np.argmax(action)]", "an index must be a number"),
    "too many entries": ("return action[0, 1]", "action has no such entries"),
    "a helper with other arguments": ("f = lambda x: x\n    return f(action[0], 1)", r"f\(\) gets other arguments"),
    "a helper that calls itself": ("def f(x):\n        return f(x)\n    return f(action[0])", r"f\(\) is called too often"),
    "a list that grows": ("r = []\n    r.append(action[0])\n    return sum(r)", r"\[\] is not translated"),
    "an assertion": ("assert action[0] > 0\n    return action[0]", "'assert' has no batched form"),
    "a condition on a constant": ("if self.dt > 1:\n        return 1\n    return action[0]", "reads no state"),
    "and between numbers": ("return action[0] and action[1]", "between comparisons alone"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_batched_form_is_refused_with_its_remedy(body: str, message: str) -> None:
    source = f"import numpy as np\ndef compute_dense_reward(self, action) -> float:\n    {body}\n"
    with pytest.raises(CandidateError, match=message) as refused:
        reward_in(source, SPEC)
    assert str(refused.value).count("\n") == 0


def test_all_that_a_task_lacks_is_named_in_one_sentence() -> None:
    source = REWARDS["ManiSkill's stacking"]
    with pytest.raises(
        CheckError, match=r"reads cubeA\.pose\.p, cubeB\.pose\.p, tcp\.pose\.p, is_grasped, "
    ):
        reward_in(source, find_task("hopper_forward").reward_inputs)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("speed", None),
        ("robot", None),
        ("robot.qpos", "qpos"),
        ("cubeA.pose.p", "cube_a_position"),
        ("env.cubeA.pos", "cube_a_position"),
        ("cube.pose.p", None),
        ("obj.position", None),
        ("joint_pos", "joint_positions"),
    ],
)
def test_an_attribute_is_the_one_state_variable_of_that_name(path: str, found: str | None) -> None:
    names = ("qpos", "cube_a_position", "obj1_position", "joint_positions")
    assert state_named(path.split("."), names) == found


def test_an_attribute_with_two_meanings_has_none() -> None:
    assert state_named(("goal", "pos"), ("goal_pos", "goal_position")) is None
    assert state_named(("goal_pos",), ("goal_pos", "goal_position")) == "goal_pos"


_PLACES: dict[type[ast.AST], str] = {ast.BinOp: "right", ast.Call: "func", ast.Compare: "left"}


def _broken(random: np.random.Generator) -> str:
    """Return a reward in which up to three expressions are those of other places."""
    tree = ast.parse([*REWARDS.values()][random.integers(len(REWARDS))])
    nodes = [*ast.walk(tree)]
    owners = [node for node in nodes if type(node) in _PLACES]
    values = [node for node in nodes if isinstance(node, ast.BinOp | ast.Call | ast.Constant)]
    for _ in range(random.integers(1, 4)):
        owner = owners[random.integers(len(owners))]
        value = values[random.integers(len(values))]
        if owner not in ast.walk(value):
            setattr(owner, _PLACES[type(owner)], value)
    return ast.unparse(tree)


def test_a_broken_reward_is_refused_and_never_breaks_the_reader() -> None:
    random = np.random.default_rng(0)
    read = 0
    for _ in range(150):
        try:
            code = reward_in(_broken(random), SPEC).code
        except CandidateError:
            continue
        assert "torch." in code
        read += 1
    assert read > 5


def test_nested_comparisons_do_not_grow_without_bound() -> None:
    nested = "action[0]"
    for _ in range(40):
        nested = f"(0 < {nested} < 1)"
    with pytest.raises(CandidateError, match="in two lines"):
        reward_in(
            f"def compute_dense_reward(self, action) -> float:\n    return 1.0 * {nested}\n", SPEC
        )


def test_numbers_without_bound_are_refused() -> None:
    for text in (f"0x{'f' * 4_000}", "sum(action[i] for i in range(10**40))"):
        with pytest.raises(CandidateError):
            reward_in(
                f"def compute_dense_reward(self, action) -> float:\n    return action[0] + {text}\n",
                SPEC,
            )
    loop = "    for i in range(10**40):\n        r = action[0]\n    return action[0]\n"
    with pytest.raises(CandidateError, match="range"):
        reward_in(f"def compute_dense_reward(self, action) -> float:\n{loop}", SPEC)
