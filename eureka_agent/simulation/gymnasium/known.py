"""Facts about Gymnasium's own environments that their docstrings do not have in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """What is known of a class of environments."""

    entries: tuple[tuple[str, str, str], ...] = ()
    """Name, unit and meaning of each entry of the observation."""


_LUNAR_LANDER = (
    ("x", "-", "place right of the landing pad, 1 is half the viewport's width"),
    ("y", "-", "height above the landing pad, 1 is half the viewport's height"),
    ("x_velocity", "-", "horizontal velocity"),
    ("y_velocity", "-", "vertical velocity, positive upward"),
    ("tilt", "rad", "angle of the lander, 0 is upright, positive counter-clockwise"),
    ("tilt_velocity", "-", "angular velocity of the lander, times 0.4 s"),
    ("left_leg_contact", "-", "1 if the left leg touches the ground, else 0"),
    ("right_leg_contact", "-", "1 if the right leg touches the ground, else 0"),
)
_LEG = ("hip_angle", "rad"), ("hip_speed", "-"), ("knee_angle", "rad"), ("knee_speed", "-")


def _bipedal_walker() -> tuple[tuple[str, str, str], ...]:
    hull = (
        ("hull_angle", "rad", "angle of the hull, 0 is horizontal"),
        ("hull_angular_velocity", "-", "angular velocity of the hull, scaled"),
        ("x_velocity", "-", "horizontal velocity of the hull, scaled, positive forward"),
        ("y_velocity", "-", "vertical velocity of the hull, scaled, positive upward"),
    )
    legs: list[tuple[str, str, str]] = []
    for leg in ("leg_1", "leg_2"):
        legs += [(f"{leg}_{name}", unit, f"{name} of {leg}") for name, unit in _LEG]
        contact = f"1 if the foot of {leg} touches the ground, else 0"
        legs.append((f"{leg}_contact", "-", contact))
    rays = [(f"lidar_{k}", "-", "free distance of a ray, 1 is its range") for k in range(10)]
    return (*hull, *legs, *rays)


KNOWN: Mapping[str, Known] = {
    "CartPoleEnv": Known(
        (
            ("cart_position", "m", "position of the cart along the track"),
            ("cart_velocity", "m/s", "velocity of the cart"),
            ("pole_angle", "rad", "angle of the pole, 0 is upright, positive to the right"),
            ("pole_angular_velocity", "rad/s", "angular velocity of the pole"),
        )
    ),
    "PendulumEnv": Known(
        (
            ("cos_theta", "-", "cosine of the pendulum's angle from upright: 1 is upright"),
            ("sin_theta", "-", "sine of the pendulum's angle from upright"),
            ("angular_velocity", "rad/s", "angular velocity of the pendulum"),
        )
    ),
    "LunarLander": Known(_LUNAR_LANDER),
    "BipedalWalker": Known(_bipedal_walker()),
}
"""By the name of the class, which is not enough to be sure: the number of entries must fit, too."""

DESCRIPTIONS: Mapping[str, str] = {
    "Acrobot": "swing the free end of the two linked bars above the target height",
    "Ant": "make the four-legged robot run forward as fast as it can",
    "BipedalWalker": "make the two-legged robot walk forward over uneven ground without falling",
    "BipedalWalkerHardcore": "make the two-legged robot walk forward over obstacles",
    "Blackjack": "win at blackjack: come closer to 21 than the dealer without going over it",
    "CartPole": "balance the pole upright on the cart by pushing the cart left and right",
    "CliffWalking": "walk from the start to the goal without falling off the cliff",
    "FrozenLake": "walk over the frozen lake to the goal without falling into a hole",
    "HalfCheetah": "make the two-legged planar robot run forward as fast as it can",
    "Hopper": "make the one-legged robot hop forward as fast as it can without falling",
    "Humanoid": "make the humanoid walk forward as fast as it can without falling",
    "HumanoidStandup": "make the lying humanoid stand up",
    "InvertedDoublePendulum": "balance both poles upright on the cart",
    "InvertedPendulum": "balance the pole upright on the cart",
    "LunarLander": "land on the landing pad, softly and upright",
    "LunarLanderContinuous": "land on the landing pad, softly and upright",
    "MountainCar": "drive the car up to the flag on the right hill",
    "MountainCarContinuous": "drive the car up to the flag on the right hill",
    "Pendulum": "swing the pendulum up and keep it upright",
    "Pusher": "push the object to the goal with the arm",
    "Reacher": "bring the tip of the arm to the target",
    "Swimmer": "make the three-linked robot swim forward as fast as it can",
    "Taxi": "pick up the passenger, drive to the destination and drop the passenger off there",
    "Walker2d": "make the two-legged planar robot walk forward as fast as it can without falling",
}
"""What the robot should do, by the name of the environment without namespace and version."""
