"""How one environment is read: plain data that worker processes get, without torch.

An environment's numbers after a step are one row of float32: the observation, then the entries of
`info`, then quantities of its MuJoCo model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ActionKind = Literal["box", "discrete", "multi_discrete", "multi_binary"]
ReadKind = Literal[
    "body_position",
    "body_orientation",
    "body_velocity",
    "body_angular_velocity",
    "body_contact",
    "site_position",
    "joint_positions",
    "joint_velocities",
    "sensor",
]


@dataclass(frozen=True)
class InfoEntry:
    """A numeric entry of `info`."""

    key: str
    size: int
    shape: tuple[int, ...]
    is_flag: bool = False
    """Whether it is always True or False."""


@dataclass(frozen=True)
class ModelQuantity:
    """A quantity of the MuJoCo model of an environment."""

    kind: ReadKind
    ids: tuple[int, ...]
    """Ids of bodies, sites, joints or a sensor in the model."""
    size: int


@dataclass(frozen=True)
class Recipe:
    """How an environment is made and read."""

    name: str
    kwargs: Mapping[str, object]
    max_episode_steps: int
    observation_size: int
    info: tuple[InfoEntry, ...] = ()
    quantities: tuple[ModelQuantity, ...] = ()
    ignores_ends: bool = False
    """Whether episodes do not terminate: the environment is stepped on after an end if it has a
    MuJoCo model; otherwise its episode is truncated there."""
    python: str | None = None
    """Path of another Python that steps the environments; None: this one."""
    registration: str | None = None
    """What registers the environment again in another process (JSON); None if that is not possible,
    because it was registered with a function of a running program."""

    @property
    def info_size(self) -> int:
        """Numbers of all entries of `info`."""
        return sum(entry.size for entry in self.info)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return (
            self.observation_size
            + self.info_size
            + sum(quantity.size for quantity in self.quantities)
        )
