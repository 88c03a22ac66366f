"""The module around a reward: what is kept of it, and what is added."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from eureka_agent.checks import check_source
from eureka_agent.errors import CheckError
from eureka_agent.extract import extract
from tests.support.sandboxed import SPEC, state

ENVIRONMENT = '''\
# Copyright: somebody. Use as you like.

import os, math

import torch
from isaacgym import gymtorch
from isaacgym.torch_utils import *
from isaacgymenvs.utils.torch_jit_utils import quat_mul, scale
from isaacgymenvs.tasks.base.vec_task import VecTask

SCALE = 2.0
UNUSED = os.environ.get("HOME")


class Crawler(VecTask):
    """The environment."""

    def compute_reward(self, actions):
        self.rew_buf[:] = compute_reward(self.velocity)

# The first try.
@torch.jit.script
def compute_reward(velocity):
    return velocity, {}


@torch.jit.script
def unused(x):
    # type: (Tensor) -> Tensor
    return x * os.cpu_count()


# Turns into a bell.
@torch.jit.script
def bell(x: Tensor, width: float) -> Tensor:
    return torch.exp(-(x / width) ** 2)  # at most 1


from typing import Dict


@torch.jit.script
def compute_reward(velocity: torch.Tensor, height: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    near = bell(height, SCALE)
    total = normalize(velocity)[:, 0] + near
    return total, {"near": near}

compute_reward = torch.jit.script(compute_reward)

if __name__ == "__main__":
    print(compute_reward(torch.zeros(3, 3), torch.zeros(3)))
'''


def reward_of(code: str) -> torch.Tensor:
    """Return a reward's result on sample states; only for these tests' own sources."""
    source = check_source(code, SPEC)
    namespace: dict[str, Any] = {}
    exec(source.code, namespace)
    rows = state()
    reward, _ = namespace["compute_reward"](**{name: rows[name] for name in source.parameters})
    assert isinstance(reward, torch.Tensor)
    return reward


def test_an_environments_file_is_cut_to_the_reward_and_what_it_reads() -> None:
    code = extract(ENVIRONMENT)
    rows = state()
    near = torch.exp(-((rows["height"] / 2.0) ** 2))
    expected = rows["velocity"][:, 0] / rows["velocity"].norm(dim=-1) + near
    torch.testing.assert_close(reward_of(code), expected)
    for gone in (
        "isaac",
        "class",
        "import os",
        "UNUSED",
        "unused",
        "__main__",
        "first try",
        "script",
    ):
        assert gone not in code.replace("Isaac Gym's helpers", "")
    for kept in ("# Copyright: somebody.", "# Turns into a bell.", "# at most 1", "import math\n"):
        assert kept in code


def test_the_size_limit_applies_after_the_cut() -> None:
    filler = "\n".join(f"def filler_{i}(x):\n    return x + {i} * {i}\n" for i in range(1_200))
    text = f"import os\n{filler}\ndef compute_reward(height):\n    return filler_7(height), {{}}\n"
    assert len(text) > 45_000
    code = extract(text)
    assert (
        code == "def filler_7(x):\n    return x + 7 * 7\n\ndef compute_reward(height):\n    return"
        " filler_7(height), {}\n"
    )
    with pytest.raises(CheckError, match="at most 40000"):
        check_source(text, SPEC)


def test_extracting_twice_changes_nothing() -> None:
    code = extract(ENVIRONMENT)
    assert extract(code) == code
    assert extract(f"Here:\n\n```python\n{code}```\n") == code


@pytest.mark.parametrize(
    ("line", "read", "says"),
    [
        ("import os", "os.sep", "'import os' is not allowed"),
        (
            "from omni.torch.rotations import *",
            "quat_mul",
            r"'from omni.torch.rotations import \*' is not allowed",
        ),
        (
            "from isaacgym.torch_utils import quat_mul as turn",
            "turn",
            "'from isaacgym.torch_utils import quat_mul'",
        ),
        ("class Half: pass", "Half", "'class' is not allowed"),
        (
            "try:\n    HALF = 0.5\nexcept ImportError:\n    HALF = 0.6",
            "HALF",
            "'try' is not allowed",
        ),
        ("HALF = torch.ones(3)", "HALF", "may stand outside functions"),
        ("TABLE = {}\nTABLE['a'] = print('here')", "TABLE", "may stand outside functions"),
        ("@compiled\ndef half(x):\n    return x", "half", "the decorator @compiled is not allowed"),
    ],
)
def test_what_the_reward_reads_is_kept_and_checked(line: str, read: str, says: str) -> None:
    code = (
        f"import torch\n{line}\ndef compute_reward(height):\n    x = {read}\n    return height,"
        " {}\n"
    )
    with pytest.raises(CheckError, match=says):
        check_source(extract(code), SPEC)


def test_statements_on_one_line_are_cut_separately() -> None:
    code = (
        "import os; import torch; A = 1.0\nimport sys\n"
        "def compute_reward(height):\n    return torch.exp(height) * A, {}\n"
    )
    torch.testing.assert_close(reward_of(extract(code)), torch.exp(state()["height"]))


def test_only_the_used_part_of_an_import_is_kept() -> None:
    code = extract(
        "import os, torch, sys\ndef compute_reward(height):\n    return torch.exp(height), {}\n"
    )
    assert code == "import torch\ndef compute_reward(height):\n    return torch.exp(height), {}\n"


HEADER = """\
def compute_reward(velocity: Tensor, height: Tensor) -> Tuple[torch.Tensor, Dict[str, Optional[Tensor]]]:
    parts: List[Tensor] = [F.relu(height), torch.exp(-height), nn.functional.silu(height)]
    total = sum(parts) + math.pi * np.e
    return total, {}
"""


def test_names_of_eureka_s_header_need_no_import() -> None:
    code = extract(HEADER)
    height = state()["height"]
    expected = (
        height.relu() + torch.exp(-height) + torch.nn.functional.silu(height) + torch.pi * torch.e
    )
    torch.testing.assert_close(reward_of(code), expected)
    assert code.endswith(HEADER)
    assert code.startswith(
        "from typing import Dict, List, Optional, Tuple\nimport math\nimport numpy as np\nimport"
        " torch\n"
    )


def test_defined_helpers_are_not_added() -> None:
    own = (
        "def normalize(x):\n    return 2.0 * x\n\n"
        "def compute_reward(height, F=1.0):\n    return normalize(height) * F, {}\n"
    )
    assert extract(own) == own


def test_a_file_with_undefined_annotations_can_be_imported() -> None:
    code = extract(
        "class Cfg:\n    pass\n\n"
        "def compute_reward(height: 'Cfg', x: Cfg = 1.0) -> FloatTensor:\n    return height, {}\n"
    )
    assert code.startswith("from __future__ import annotations\n")
    assert "class" not in code
    torch.testing.assert_close(reward_of(code), state()["height"])


def test_imports_go_below_a_docstring() -> None:
    code = extract(
        '"""About it."""\nfrom __future__ import annotations\n'
        "def compute_reward(height: Tensor):\n    return height, {}\n"
    )
    assert code.startswith(
        '"""About it."""\nfrom __future__ import annotations\nfrom torch import Tensor\n'
    )
    compile(code, "reward", "exec")


def test_empty_tensors_become_zeros() -> None:
    code = extract(
        "def compute_reward(height):\n"
        "    a, b = torch.empty_like(height).fill_(2.0), torch.empty( 3 )  # größer\n"
        "    c = 'é' if False else height.new_empty(len(height)) + torch.empty(1)\n"
        "    return a + c + b.sum(), {}\n"
    )
    assert "empty" not in code
    assert "torch.zeros( 3 )  # größer" in code
    torch.testing.assert_close(reward_of(code), torch.full_like(state()["height"], 2.0))


SELF = """\
class Env:
    def compute_reward(self, action):
        env = self.env
        height = env.height * 2.0
        velocity = self.velocity
        up = self.height + height + env.unwrapped.velocity[:, 0]
        return up + velocity[:, 1], {"action": action[:, 0]}
"""


def test_attributes_become_parameters_even_if_local_variables_have_their_names() -> None:
    rows = state()
    expected = 3.0 * rows["height"] + rows["velocity"][:, 0] + rows["velocity"][:, 1]
    torch.testing.assert_close(reward_of(extract(SELF)), expected)


@pytest.mark.parametrize(
    "text", [ENVIRONMENT, HEADER, SELF, HEADER.replace("np.e", "normalize(velocity)[:, 0]")]
)
def test_a_written_reward_only_defines_functions_whether_imported_or_run(
    text: str, tmp_path: Path
) -> None:
    code = check_source(extract(text), SPEC).code
    path = tmp_path / "best_reward.py"
    path.write_text(code, "utf-8")
    program = (
        "import runpy, sys; module = runpy.run_path(sys.argv[1], run_name=sys.argv[2]);"
        "assert callable(module['compute_reward'])"
    )
    for name in ("best_reward", "__main__"):
        done = subprocess.run(
            [sys.executable, "-I", "-c", program, str(path), name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
