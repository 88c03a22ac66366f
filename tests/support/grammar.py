"""Tasks without physics for the grammar's tests, random states, and ways to run rewards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import mujoco
import torch
from torch import Tensor

from eureka_agent.proposers.grammar import genome as genomes
from eureka_agent.proposers.grammar.genome import Factor, Feature, Genome, Shape, Term
from eureka_agent.records import (
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Outcome,
    RewardSource,
    TrainingRecord,
)
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State, StateSpec, StateVariable

Variable = StateVariable
_NO_PHYSICS = "the grammar reads the state's description, never a simulation"
Reward = Callable[..., tuple[Tensor, dict[str, Tensor]]]


class PaperTask(MujocoTask):
    """A state and an instruction; nothing moves."""

    name = "paper"
    action_names = ("left", "right")

    def __init__(self, spec: StateSpec, description: str) -> None:
        self.state_spec = spec
        self.description = description

    def build(self) -> mujoco.MjSpec:
        raise AssertionError(_NO_PHYSICS)

    def initial_state(self, random: Random) -> InitialState:
        raise AssertionError(_NO_PHYSICS)

    def state(self, physics: Physics, memory: EpisodeState) -> dict[str, Tensor]:
        raise AssertionError(_NO_PHYSICS)

    def observation(self, state: State, memory: EpisodeState) -> Tensor:
        raise AssertionError(_NO_PHYSICS)

    def terminated(self, state: State, memory: EpisodeState) -> Tensor:
        raise AssertionError(_NO_PHYSICS)

    def fitness(self, state: State, memory: EpisodeState) -> Tensor:
        raise AssertionError(_NO_PHYSICS)


ARM = PaperTask(
    StateSpec(
        (
            Variable("gripper", (3,), "m", "world", "position of the gripper", "position"),
            Variable("cube", (3,), "m", "world", "position of the cube", "position"),
            Variable(
                "cube_goal",
                (3,),
                "m",
                "world",
                "where the cube belongs",
                "position",
                goal_for="cube",
            ),
            Variable(
                "cube_velocity", (3,), "m/s", "world", "velocity of the cube", "linear_velocity"
            ),
            Variable("cube_rot", (4,), "-", "world", "orientation of the cube", "quaternion_xyzw"),
            Variable(
                "goal_rot", (4,), "-", "world", "its goal", "quaternion_xyzw", goal_for="cube_rot"
            ),
            Variable("arm_pos", (7,), "rad", "-", "joint angles", "joint_positions"),
            Variable("arm_vel", (7,), "rad/s", "-", "joint velocities", "joint_velocities"),
            Variable("gap", (), "m", "-", "opening of the gripper", "distance"),
            Variable("dropped", (), "-", "-", "1 when the cube was dropped", "flag"),
        ),
        {"tolerance": 0.05},
    ),
    "push the cube to its goal",
)
WALKER = PaperTask(
    StateSpec(
        (
            Variable("torso", (3,), "m", "world", "position of the torso", "position"),
            Variable(
                "torso_quat", (4,), "-", "world", "orientation of the torso", "quaternion_wxyz"
            ),
            Variable("velocity", (3,), "m/s", "world", "velocity of the torso", "linear_velocity"),
            Variable("angvel", (3,), "rad/s", "torso", "angular velocity", "angular_velocity"),
            Variable("up_vec", (3,), "-", "world", "the torso's z axis", "unit_vector"),
            Variable("heading_vec", (3,), "-", "world", "the torso's x axis", "unit_vector"),
            Variable("potentials", (), "m/s", "-", "minus distance to the target, per second"),
            Variable("prev_potentials", (), "m/s", "-", "the same, one step before"),
            Variable("pitch", (), "rad", "-", "pitch of the torso", "angle"),
            Variable("feet_forces", (4, 6), "N", "-", "contact forces", "force"),
        )
    ),
    "make the robot run forward as fast as possible",
)
ODD = PaperTask(
    StateSpec(
        (
            Variable(
                "reward",
                (2,),
                "m, rad",
                "-",
                "named like the result",
                "joint_positions",
                elements=("x", "tilt angle"),
            ),
            Variable("alive", (), "-", "-", "named like a component", "flag"),
            Variable("tips", (5, 3), "m", "world", "fingertips", "position"),
            Variable("palm", (3,), "m", "world", "palm", "position"),
            Variable("axis", (2,), "-", "world", "a unit vector of the plane", "unit_vector"),
            Variable("image", (2, 2), "-", "-", "a matrix", "other"),
            Variable("volume", (2, 2, 2), "-", "-", "a cube of numbers", "force"),
            Variable(
                "setpoint",
                (2,),
                "m, rad",
                "-",
                "where they belong",
                "joint_positions",
                goal_for="reward",
            ),
        )
    ),
    "keep the palm open",
)
PACKED = PaperTask(
    StateSpec(
        (
            Variable(
                name="root_states",
                shape=(10,),
                unit="m, -, m/s",
                frame="world",
                meaning="position, orientation, linear velocity",
                elements=(
                    "x",
                    "y",
                    "z",
                    "qx",
                    "qy",
                    "qz",
                    "qw",
                    "linvel_x",
                    "linvel_y",
                    "linvel_z",
                ),
            ),
            Variable("targets", (3,), "m", "world", "the point to run to, far ahead", "position"),
            Variable(
                "potentials", (), "m/s", "world", "minus the distance to the target, divided by dt"
            ),
        )
    ),
    "run forward",
)
TINY = PaperTask(
    StateSpec((Variable("clock_angle", (), "rad", "-", "angle of the hand", "angle"),)), ""
)
PAPER_TASKS = {"arm": ARM, "walker": WALKER, "odd": ODD, "packed": PACKED, "tiny": TINY}


def random_states(spec: StateSpec, rows: int, seed: int) -> dict[str, Tensor]:
    """Draw every tensor of `spec`: points within 1 m, unit quaternions and vectors, flags."""
    generator = torch.Generator().manual_seed(seed)
    states: dict[str, Tensor] = {}
    for variable in spec.variables:
        size = 0.3 if variable.unit == "m" else 1.0
        now = size * torch.randn(rows, *variable.shape, generator=generator)
        before = now + 0.02 * size * torch.randn(rows, *variable.shape, generator=generator)
        for name, value in ((variable.name, now), (f"prev_{variable.name}", before)):
            if variable.kind in ("quaternion_wxyz", "quaternion_xyzw", "unit_vector"):
                value = value / torch.linalg.vector_norm(value, dim=-1, keepdim=True)
            elif variable.kind == "flag":
                value = (value > 0).float()
            elif variable.kind == "distance":
                value = value.abs()
            states.setdefault(name, value)
    return states


def load_reward(code: str) -> Reward:
    """Return the function of a reward's source, which the test's own grammar wrote."""
    namespace: dict[str, Reward] = {}
    exec(code, namespace)
    return namespace["compute_reward"]


def code_of(completion: Completion) -> str:
    """Return the code in the completion's Python fence."""
    return completion.text.split("```python\n")[1].split("```")[0]


def run_reward(
    source: RewardSource, states: Mapping[str, Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the reward of `states` and its components."""
    return load_reward(source.code)(**{name: states[name] for name in source.parameters})


def term(
    weight: float,
    measure: str,
    *names: str,
    shape: Shape = "linear",
    scale: float = 1.0,
    axis: int | None = None,
) -> Term:
    """Return a term with one factor."""
    return Term(weight, (Factor(Feature(measure, names, axis), shape, scale),))


def outcome(
    genome: Genome | None,
    fitness: float | None,
    *,
    generation: int = 0,
    index: int = 0,
    curves: Sequence[Curve] = (),
    correlations: Mapping[str, float] | None = None,
) -> Outcome:
    """Return a finished candidate; `genome` None is a model's reward, `fitness` None a failure."""
    text = "```python\npass\n```\n" + (genomes.to_line(genome) if genome else "")
    completion = Completion(index, text, "grammar" if genome else "some-model")
    candidate = Candidate(generation, completion, RewardSource("pass", ()))
    if fitness is None:
        return Outcome(candidate, failure=Failure("training", "it broke"))
    flat = Curve("", (), 0.0, 0.0, 0.0)
    training = TrainingRecord(1, 1.0, flat, tuple(curves), flat, flat, correlations or {})
    return Outcome(
        candidate, training=training, evaluation=Evaluation(fitness, fitness, fitness, 1, 1.0)
    )


def ramp(name: str, start: float, end: float) -> Curve:
    """Return a component's curve that rises or falls linearly from `start` to `end`."""
    values = tuple(start + (end - start) * i / 9 for i in range(10))
    return Curve(name, values, max(values), math.fsum(values) / 10, min(values))
