from __future__ import annotations

import pytest

from eureka_agent.checks import check_source, compile_checked
from eureka_agent.errors import CheckError
from tests.support.sandboxed import SPEC, refusal

STYLES = {
    "Eureka's own": """
import torch
from typing import Tuple, Dict
@torch.jit.script
def helper(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x)
@torch.jit.script
def compute_reward(velocity: torch.Tensor, height: torch.Tensor) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    speed: torch.Tensor = torch.norm(velocity, p=2, dim=-1)
    total = helper(speed) + height
    return total, {"speed": speed}
""",
    "imports inside and aliases": """
from __future__ import annotations
import torch.nn.functional as F, math as m
from torch import Tensor, where
from torch.nn import functional
import torch.nn as nn
def compute_reward(velocity: "Tensor", height):
    import torch as th
    a = F.normalize(velocity, dim=-1)[:, 0] + functional.relu(height) + nn.functional.softplus(height)
    return where(a > m.pi, a, th.linalg.norm(velocity, dim=-1)), {}
""",
    "numpy for its constants": """
import numpy as np
HALF = np.pi / 2
def compute_reward(height):
    return height * HALF * np.e, {}
""",
    "loops, lambdas, nested functions, early returns": """
import torch
LIMIT, GOALS = 3, [0.1, 0.2]
def compute_reward(height, action):
    def shaped(x, scale=2.0):
        return x * scale
    square = lambda x: x ** 2
    parts = {}
    for i, goal in enumerate(GOALS):
        parts[f"goal_{i}"] = shaped(height - goal)
        if i > LIMIT:
            continue
    if len(parts) == 0:
        return height, parts
    total = sum([square(part) for part in parts.values()])
    total -= (action ** 2).sum(dim=-1)
    total[total > 9.0] = 9.0
    assert total.dim() == 1, "one number a row"
    return (total, {**parts, "total": total} if False else parts)
""".replace("{**parts, \"total\": total}", "parts"),
    "devices and dtypes": """
import torch
def compute_reward(height):
    up = torch.tensor([0.0, 0.0, 1.0], device=height.device, dtype=torch.float32).to(height.device)
    with torch.no_grad():
        n = torch.zeros_like(height, device=height.device).to(torch.float32)
    return n + up[2], {"n": n}
""",
    "inputs that are changed, which are copies": """
def compute_reward(height, velocity):
    height[0] = 1.0
    height += 1.0
    velocity[:, 2] *= 0.5
    return height, {}
""",
    "a reward without components": """
def compute_reward(height):
    return height.square()
""",
    "forms that change only new tensors": """
import torch
from torch import Tensor
def compute_reward(velocity: "Tensor | None", height: Tensor):
    one = torch.zeros_like(height).fill_(1.0) + height.new_zeros(len(height)).zero_()
    up = torch.Tensor([0.0, 0.0, 1.0])
    if isinstance(velocity, torch.Tensor) and isinstance(height, (float, Tensor)):
        one = one + (torch.inverse(torch.eye(3)) @ up)[2] + torch.conj(height).conj()
    return one, {}
""",
}  # fmt: skip


@pytest.mark.parametrize("code", STYLES.values(), ids=STYLES.keys())
def test_common_styles_pass(code: str) -> None:
    assert check_source(code, SPEC).code == code
    compile_checked(code)


def test_parameters_are_those_that_the_task_provides() -> None:
    code = (
        "def compute_reward(prev_height, target_speed, height, *, gain: float = -0.5, on=True):"
        " return height, {}"
    )
    assert check_source(code, SPEC).parameters == ("prev_height", "target_speed", "height")


def test_unknown_parameter_is_named_with_near_and_available_names() -> None:
    assert (
        refusal("import torch\n\ndef compute_reward(velocty, height): return height, {}")
        == "Line 3 (def compute_reward(velocty, height): return height, {}): compute_reward takes"
        " 'velocty', which this task does not have. Did you mean 'velocity'? Available:"
        " velocity, height, rotation, action, target_speed; prev_<name> is a state variable one"
        " step earlier."
    )


def _body(*lines: str) -> str:
    return (
        "import torch\nimport numpy as np\ndef compute_reward(height):\n    "
        + "\n    ".join(lines)
        + "\n    return height, {}"
    )


REFUSED = {
    "while": (
        _body("while True: pass"),
        r"Line 4 \(while True: pass\): 'while' is not allowed in a reward: use 'for ... in range",
    ),
    "try": (_body("try: pass", "except: pass"), "'try' is not allowed"),
    "class": ("class A: pass\n" + _body(), "'class' is not allowed in a reward: write plain functions"),
    "global": (_body("global x"), "keeps no state between calls"),
    "print": (_body("print(height)"), "'print' is not allowed: return the value as a component instead"),
    "eval": (_body("eval('1')"), "'eval' is not allowed in a reward"),
    "name that is nowhere": (_body("bell(height)"), "'bell' is not defined: define it in the code"),
    "getattr": (_body("getattr(height, 'x')"), "'getattr' is not allowed"),
    "dunder attribute": (_body("height.__class__"), ".__class__ is not allowed"),
    "dunder name": (_body("__builtins__"), "'__builtins__'"),
    "dunder parameter": ("def compute_reward(height, __x=1): return height, {}", "'__x' is not allowed"),
    "import": ("import os\n" + _body(), r"Line 1 \(import os\): 'import os' is not allowed: a reward may import torch"),
    "from import": ("from isaacgym.torch_utils import *\n" + _body(), "'from isaacgym.torch_utils import \\*'"),
    "from torch": ("from torch import load\n" + _body(), "'from torch import load' is not allowed"),
    "relative import": ("from . import x\n" + _body(), "is not allowed"),
    "submodule": ("import torch.utils.data\n" + _body(), "'import torch.utils.data' is not allowed"),
    "random": (_body("torch.rand(3)"), "torch.rand is not allowed: a reward must be deterministic"),
    "torch function": (_body("torch.lod('x')"), "torch.lod is not allowed in a reward. Did you mean 'log'"),
    "module value": (_body("x = torch"), "the module 'torch' may not be used as a value"),
    "module through a list": (_body("[torch][0].load"), "may not be used as a value"),
    "numpy function": (_body("np.exp(height)"), "numpy's exp is not allowed: use torch.exp"),
    "in place": (_body("height.add_(1)"), "so use .add\\(\\) and assign the result"),
    "torch in place": (_body("torch.relu_(height)"), "torch.relu_ is not allowed: it changes a tensor in place"),
    "out": (_body("torch.exp(height, out=height)"), "the argument out= is not allowed"),
    "double star": (_body("torch.exp(height, **{'out': height})"), "\\*\\* in a call is not allowed"),
    "star": (_body("torch.exp(*[height])"), "'\\*' before a value is not allowed"),
    "format": (_body("f'{height:>{9}}'"), "a format after ':'"),
    "str format": (_body("'{0.__class__}'.format(height)"), ".format is not allowed"),
    "bytes": (_body("b''"), "bytes constants are not allowed"),
    "with": (_body("with open('x') as f: pass"), "'with' is not allowed"),
    "decorator": (_body().replace("def", "@torch.compile\ndef"), "the decorator @torch.compile is not allowed"),
    "decorator call": (_body().replace("def", "@eval('x')\ndef"), "the decorator @eval"),
    "attribute store": (_body("height.x = 1"), "assigning to the attribute .x is not allowed"),
    "rebound import": (_body("torch = height"), "'torch' is imported or a function already"),
    "rebound by a parameter": (_body("f = lambda torch: torch.load"), "'torch' is imported or a function already"),
    "rebound function": (_body("compute_reward = 1"), "'compute_reward' is imported or a function already"),
    "one name twice": ("import math as torch\n" + _body(), "'torch' is imported twice"),
    "not a parameter": (_body("x = velocity"), "'velocity' is used but is not a parameter here: add it"),
    "not imported": (_body("math.pi"), "'math' is used but not imported: begin with 'import math'"),
    "self": ("def compute_reward(self, height): return height, {}", "may not take 'self': compute_reward is a plain"),
    "star parameters": ("def compute_reward(height, *a, **k): return height, {}", "may not take \\*args"),
    "positional only": ("def compute_reward(height, /): return height, {}", "remove the '/'"),
    "default None": ("def compute_reward(height, speed=None): return height, {}", "does not have"),
    "default call": ("def compute_reward(height, x=open('f')): return height, {}", "'open' is not allowed"),
    "default that is worked out": (
        "def f(): return 1\ndef compute_reward(height, x=f()): return height, {}",
        "the defaults of compute_reward\\(\\) must be numbers",
    ),
    "nothing read": ("def compute_reward(target_speed): return target_speed, {}", "reads no state"),
    "no return": ("def compute_reward(height): height + 1", "compute_reward returns nothing: return the reward and"),
    "bare return": ("def compute_reward(height): return", "return reward, components"),
    "triple": ("def compute_reward(height): return height, {}, 1", "return reward, components"),
    "work at module level": ("import torch\nX = torch.zeros(3)\n" + _body(), "may stand outside functions"),
    "call at module level": ("compute()\n" + _body(), "may stand outside functions"),
    "no entry": ("def compute_rewards(height): return height, {}", "Did you mean 'compute_rewards'"),
    "two entries": (_body() + "\n" + _body(), "there are 2 functions compute_reward"),
    "nested entry": ("def f():\n    def compute_reward(height): return height, {}", "no function compute_reward"),
    "empty": ("", "There is no function compute_reward"),
    "syntax": ("def compute_reward(height):\n    return (height, {}", "Line 2: the code is not valid Python"),
    "NUL": ("a = 1\0", "not valid Python"),
    "surrogate": ("a = '\ud800'", "not valid Python"),
    "long": ("#" * 40_001, "at most 40000 are allowed"),
    "deep sums": ("x = " + "1 + " * 5_000 + "1", "not valid Python|deeply nested"),
    "deep signs": ("x = " + "-" * 30_000 + "1", "not valid Python|deeply nested"),
    "deep attributes": ("x = a" + ".b" * 15_000, "not valid Python|deeply nested"),
    "deep brackets": ("x = " + "[" * 5_000, "not valid Python"),
    "deep enough for later walks": ("x = " + "1 + " * 150 + "1", "deeply nested"),
    "many nodes": ("x = [" + "1," * 15_000 + "]", "too large"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_is_wrong_and_what_to_write(code: str, says: str) -> None:
    with pytest.raises(CheckError, match=says):
        check_source(code, SPEC)


def test_several_findings_come_in_order_and_at_most_four() -> None:
    lines = [f"torch.load{i}" for i in range(6)]
    message = refusal(_body(*lines))
    assert [part for part in message.split() if part.isdigit()] == ["4", "5", "6", "7", "2"]
    assert message.endswith("And 2 more.")


ONE_CAUSE = {
    "a missing import": (
        "def compute_reward(height):\n    a = torch.exp(height)\n    b = torch.nn.functional.normalize(a, dim=-1)\n"
        "    return torch.zeros_like(b), {}",
        "Lines 2, 3, 4 (a = torch.exp(height)): 'torch' is used but not imported: begin with 'import torch'.",
    ),
    "an import": (
        "import os\ndef compute_reward(height):\n    return height * len(os.environ), {'n': os.path.sep}",
        "Line 1 (import os): 'import os' is not allowed: a reward may import torch, math and typing; "
        "write other helpers as functions of your own.",
    ),
    "one function many times": (
        _body("print(1)", "print(2)", "print(3)"),
        "Lines 4, 5, 6 (print(1)): 'print' is not allowed: return the value as a component instead.",
    ),
    "a class": (
        "class A:\n    def f(self): return super().f(foo)\ndef compute_reward(height):\n    return A(), {}",
        "Line 1 (class A:): 'class' is not allowed in a reward: write plain functions.",
    ),
    "numpy's norm": (
        "import numpy as np\ndef compute_reward(action):\n    return -np.linalg.norm(action), {}",
        "Line 3 (return -np.linalg.norm(action), {}): numpy's linalg.norm is not allowed: use "
        "torch.linalg.norm(x, dim=-1).",
    ),
    "an object": (
        "import numpy as np\ndef compute_reward(action, robot):\n    if robot.body.angle > 1: return -1.0\n"
        "    return robot.speed - np.linalg.norm(action)",
        "This is a reward for a single environment that reads an object (robot.speed, robot.body): take the state that it needs as "
        "parameters of compute_reward, each by its name, compute with torch on tensors (num_envs, ...), and return "
        "'reward, components'. Available: velocity, height, rotation, action, target_speed; prev_<name> is a state "
        "variable one step earlier.",
    ),
    "two unknown names": (
        "def compute_reward(speed, heigth): return speed, {}",
        "Line 1 (def compute_reward(speed, heigth): return speed, {}): "
        "compute_reward takes 'speed', which this task does not have. "
        "compute_reward takes 'heigth', which this task does not have. Did you mean 'height'? "
        "Available: velocity, height, rotation, action, target_speed; prev_<name> is a state variable one step "
        "earlier.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "message"), ONE_CAUSE.values(), ids=ONE_CAUSE.keys())
def test_one_cause_is_one_finding(code: str, message: str) -> None:
    assert refusal(code) == message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("heigth", "height"),
        ("hight", "height"),
        ("root_states", ""),
        ("object_pose", ""),
        ("velo", ""),
        ("acton", "action"),
    ],
)
def test_near_names_are_at_most_two_letters_away(name: str, meant: str) -> None:
    message = refusal(f"def compute_reward({name}): return {name}, {{}}")
    assert (f"Did you mean {meant!r}?" in message) if meant else ("Did you mean" not in message)
