from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from eureka_agent.checks import compile_checked
from eureka_agent.errors import CheckError

CODE = """
from typing import Dict
import torch.nn.functional as F
import math
from torch import exp as e
@torch.jit.script
def compute_reward(height: NotThere, speed: Dict[str, int] = 2.0) -> "Dict":
    import torch
    y: NotThere
    z: float = math.sqrt(4.0)
    return height * z + speed, {}
"""


def test_annotations_decorators_and_imports_are_gone() -> None:
    compiled = compile_checked(CODE)
    assert compiled.imports == {
        "F": "torch.nn.functional",
        "math": "math",
        "e": "torch.exp",
        "torch": "torch",
    }
    # Without open, __import__ and torch.
    variables: dict[str, Any] = {"__builtins__": {}, "math": math}
    exec(compiled.code, variables)
    function = variables["compute_reward"]
    assert function(3.0) == (3.0 * 2.0 + 2.0, {})
    assert function.__annotations__ == {}


def test_line_numbers_are_those_of_the_source() -> None:
    code = (
        "import torch\n\n@torch.jit.script\ndef compute_reward(height):\n    import math\n   "
        " return 1 / 0, {}\n"
    )
    variables: dict[str, Any] = {}
    exec(compile_checked(code).code, variables)
    with pytest.raises(ZeroDivisionError) as caught:
        variables["compute_reward"](1)
    assert caught.traceback[-1].lineno + 1 == 6


def test_the_second_check_refuses_what_the_first_does() -> None:
    with pytest.raises(CheckError, match="'open' is not allowed"):
        compile_checked("def compute_reward(height): return open('x'), {}")


def test_checks_need_neither_torch_nor_the_physics_engine() -> None:
    program = (
        "import sys, eureka_agent.checks; sys.exit(bool({'torch', 'mujoco', 'numpy'} &"
        " sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0
