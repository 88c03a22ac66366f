import math

import torch
from torch import Tensor

from eureka_agent.tasks import rotations

X, Y, Z = torch.eye(3)
QUARTER = torch.tensor(math.pi / 2)


def test_orders_are_inverse_of_each_other() -> None:
    quat = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    assert rotations.to_xyzw(quat).tolist() == torch.tensor([[0.2, 0.3, 0.4, 0.1]]).tolist()
    assert torch.equal(rotations.to_wxyz(rotations.to_xyzw(quat)), quat)


def test_quarter_turn_about_z_takes_x_to_y() -> None:
    quat = rotations.from_axis_angle(Z, QUARTER)
    root = math.sqrt(0.5)  # cos 45° = sin 45°
    torch.testing.assert_close(quat, torch.tensor([root, 0.0, 0.0, root]))
    torch.testing.assert_close(rotations.rotate(quat, X), Y)
    torch.testing.assert_close(rotations.rotate_inverse(quat, Y), X)


def test_product_applies_the_right_factor_first() -> None:
    about_x, about_z = rotations.from_axis_angle(X, QUARTER), rotations.from_axis_angle(Z, QUARTER)
    # First z: x goes to y; then x: y goes to z. In the other order x stays x and goes to y.
    torch.testing.assert_close(rotations.rotate(rotations.multiply(about_x, about_z), X), Z)
    torch.testing.assert_close(rotations.rotate(rotations.multiply(about_z, about_x), X), Y)


def test_rotation_angle_ignores_the_sign_of_a_quaternion() -> None:
    start = rotations.from_axis_angle(Y, torch.tensor(0.3))
    end = rotations.from_axis_angle(Y, torch.tensor(1.5))
    torch.testing.assert_close(rotations.rotation_angle(start, end), torch.tensor(1.2))
    torch.testing.assert_close(rotations.rotation_angle(start, -end), torch.tensor(1.2))


def test_roll_pitch_yaw_of_a_composed_rotation() -> None:
    roll, pitch, yaw = (torch.tensor(angle) for angle in (0.4, -0.3, 2.0))
    quat = rotations.from_axis_angle(X, roll)
    quat = rotations.multiply(rotations.from_axis_angle(Y, pitch), quat)
    quat = rotations.multiply(rotations.from_axis_angle(Z, yaw), quat)
    torch.testing.assert_close(rotations.roll_pitch_yaw(quat), torch.stack((roll, pitch, yaw)))


def test_everything_broadcasts_over_leading_dimensions() -> None:
    quat = rotations.from_axis_angle(Z, torch.linspace(0.0, 3.0, 5))
    assert quat.shape == (5, 4)
    assert rotations.rotate(quat, X).shape == (5, 3)
    assert rotations.multiply(quat[:, None], quat[None]).shape == (5, 5, 4)
    angles: Tensor = rotations.rotation_angle(quat, quat[0])
    torch.testing.assert_close(angles, torch.linspace(0.0, 3.0, 5))


def test_matrix_rotates_as_its_quaternion_does() -> None:
    quat = torch.nn.functional.normalize(
        torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    matrix = rotations.matrix(quat)
    assert matrix.shape == (2, 6, 3, 3)
    for column, axis in enumerate((X, Y, Z)):
        torch.testing.assert_close(matrix[..., column], rotations.rotate(quat, axis))
    assert torch.equal(rotations.matrix(quat[0, 4]), matrix[0, 4])  # the same alone and in a batch
