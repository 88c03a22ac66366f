"""Isaac Gym's helpers compared with rotation matrices and with our own (w, x, y, z) functions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from eureka_agent.checks import check_source, compile_checked
from eureka_agent.extract import extract, isaac_gym
from eureka_agent.extract.header import helpers
from eureka_agent.tasks import rotations
from tests.support.sandboxed import SPEC

_DICE = torch.Generator().manual_seed(3)


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=_DICE)


A, B = (rotations.to_xyzw(torch.nn.functional.normalize(_random(64, 4), dim=-1)) for _ in range(2))
V = _random(64, 3)


def _matrix(quat_xyzw: Tensor) -> Tensor:
    """Return the rotation matrices of quaternions by the textbook formula."""
    x, y, z, w = quat_xyzw.double().unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a.double(), b.double(), rtol=1e-4, atol=1e-5)


def test_products_and_inverses_are_those_of_the_matrices() -> None:
    _close(_matrix(isaac_gym.quat_mul(A, B)), _matrix(A) @ _matrix(B))
    _close(_matrix(isaac_gym.quat_conjugate(A)), _matrix(A).mT)
    _close(
        isaac_gym.quat_mul(A, B),
        rotations.to_xyzw(rotations.multiply(rotations.to_wxyz(A), rotations.to_wxyz(B))),
    )


def test_vectors_turn_as_with_the_matrices() -> None:
    turned = (_matrix(A) @ V.double()[..., None]).squeeze(-1)
    back = (_matrix(A).mT @ V.double()[..., None]).squeeze(-1)
    _close(isaac_gym.quat_rotate(A, V), turned)
    _close(isaac_gym.quat_apply(A, V), turned)
    _close(isaac_gym.quat_rotate_inverse(A, V), back)
    _close(isaac_gym.quat_apply(A.view(8, 8, 4), V.view(8, 8, 3)).view(64, 3), turned)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    quarter = isaac_gym.quat_from_angle_axis(
        torch.tensor([math.pi / 2]), torch.tensor([[0.0, 0.0, 5.0]])
    )
    _close(quarter, torch.tensor([[0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)]]))
    _close(
        isaac_gym.quat_rotate(quarter, torch.tensor([[1.0, 0.0, 0.0]])),
        torch.tensor([[0.0, 1.0, 0.0]]),
    )
    roll, pitch, yaw = isaac_gym.get_euler_xyz(quarter)
    _close(torch.stack((roll, pitch, yaw)).flatten(), torch.tensor([0.0, 0.0, math.pi / 2]))


def test_angles_compose_to_the_rotation_and_lie_between_0_and_a_full_turn() -> None:
    angles = isaac_gym.get_euler_xyz(A)
    assert all(((angle >= 0.0) & (angle <= 2.0 * math.pi)).all() for angle in angles)
    about = [
        isaac_gym.quat_from_angle_axis(angle, axis.expand(64, 3))
        for angle, axis in zip(angles, torch.eye(3), strict=True)
    ]
    x, y, z = (_matrix(turn) for turn in about)
    _close(z @ y @ x, _matrix(A))


def test_angle_between_two_orientations() -> None:
    expected = rotations.rotation_angle(rotations.to_wxyz(A), rotations.to_wxyz(B))
    torch.testing.assert_close(isaac_gym.quat_diff_rad(A, B), expected, rtol=1e-3, atol=1e-3)
    _close(isaac_gym.quat_diff_rad(A, A), torch.zeros(64))


def test_lengths_angles_and_ranges() -> None:
    _close(isaac_gym.normalize(V).norm(dim=-1), torch.ones(64))
    _close(isaac_gym.normalize(V) * V.norm(dim=-1, keepdim=True), V)
    _close(isaac_gym.quat_unit(3.0 * A), A)
    _close(isaac_gym.normalize(torch.zeros(2, 3)), torch.zeros(2, 3))
    _close(
        isaac_gym.normalize_angle(torch.tensor([3.0 * math.pi / 2, -7.0])),
        torch.tensor([-math.pi / 2, 2 * math.pi - 7]),
    )
    lower, upper = torch.tensor([-2.0, 0.0]), torch.tensor([4.0, 1.0])
    at = torch.tensor([[-2.0, 0.0], [4.0, 1.0], [1.0, 0.5]])
    unit = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]])
    _close(isaac_gym.unscale(at, lower, upper), unit)
    _close(isaac_gym.scale(unit, lower, upper), at)
    clamped = isaac_gym.tensor_clamp(torch.tensor([[-9.0, 0.5], [9.0, 9.0]]), lower, upper)
    _close(clamped, torch.tensor([[-2.0, 0.5], [4.0, 1.0]]))


CALLS = {
    "normalize": "normalize(velocity)[:, 0]",
    "quat_unit": "quat_unit(rotation)[:, 0]",
    "quat_conjugate": "quat_conjugate(rotation)[:, 0]",
    "quat_mul": "quat_mul(rotation, rotation)[:, 0]",
    "quat_rotate": "quat_rotate(rotation, velocity)[:, 0]",
    "quat_rotate_inverse": "quat_rotate_inverse(rotation, velocity)[:, 0]",
    "quat_apply": "quat_apply(rotation, velocity)[:, 0]",
    "quat_from_angle_axis": "quat_from_angle_axis(height, velocity)[:, 0]",
    "quat_diff_rad": "quat_diff_rad(rotation, rotation)",
    "get_euler_xyz": "get_euler_xyz(rotation)[2]",
    "normalize_angle": "normalize_angle(height)",
    "scale": "scale(height, 0.0, 1.0)",
    "unscale": "unscale(height, 0.0, 1.0)",
    "tensor_clamp": "tensor_clamp(height, 0.0 * height, 0.5 + 0.0 * height)",
}


@pytest.mark.parametrize("name", CALLS)
def test_each_helper_needs_no_definition_and_passes_both_checks(name: str) -> None:
    code = extract(
        f"def compute_reward(velocity, rotation, height):\n    return {CALLS[name]}, {{}}\n"
    )
    assert code.count("def ") == 2
    compile_checked(check_source(code, SPEC).code)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    reward, _ = namespace["compute_reward"](V, A, V[:, 0])
    assert reward.shape == (64,)


def test_the_table_above_has_all_helpers() -> None:
    assert CALLS.keys() == helpers().keys()
