"""Completions for the cartpole, hand-written in the style of models."""

from __future__ import annotations


def completion(body: str, signature: str = "dof_pos: Tensor, dof_vel: Tensor") -> str:
    """Return a model's answer around the body of a reward function."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return (
        "I keep the pole upright.\n\n```python\nimport torch\nfrom torch import Tensor\n\n\ndef"
        f" compute_reward({signature}) -> tuple[Tensor, dict[str, Tensor]]:\n{lines}\n```\nThat is"
        " all."
    )


def upright(weight: float) -> str:
    """Return a valid reward; `weight` distinguishes it from others."""
    return completion(
        f"upright = torch.cos(dof_pos[:, 1])\ncalm = -{weight} * dof_vel[:, 0].abs()\n"
        'return upright + calm, {"upright": upright, "calm": calm}'
    )


TRACEBACK = completion('x = dof_pos[:, 7]\nreturn x, {"x": x}')
UNKNOWN_NAME = completion('return pole_angel, {"x": pole_angel}', "pole_angel: Tensor")
WRONG_SHAPE = completion('return dof_pos, {"x": dof_pos[:, 0]}')
NO_CODE = "I am sorry, I cannot help with that."
SYNTAX_ERROR = "```python\ndef compute_reward(dof_pos):\n    return (dof_pos\n```"
NAN = completion('x = torch.log(dof_pos[:, 0] - 100.0)\nreturn x, {"x": x}')
EMPTY = ""
