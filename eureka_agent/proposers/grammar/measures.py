"""What the grammar can measure: each measure's meaning, code and typical size.

A measure turns one or two state variables into one number per environment. Its polarity says which
values are better:

- `cost`: 0 or more, less is better (a distance, a speed to avoid);
- `gain`: at most 1, more is better (the cosine of a tilt);
- `signal`: any sign, more is better (a velocity along x), or less, with a negative weight;
- `constant`: a bonus for every step of the episode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from eureka_agent.proposers.grammar.genome import Feature, Shape
from eureka_agent.tasks.task import StateSpec

Polarity = Literal["cost", "gain", "signal", "constant"]
Code = Callable[[Feature, StateSpec], str]

AXES = "xyz"
BREAK = "\n"
"""Marks where a long expression may be split over lines."""
TYPICAL = {"m": 0.3, "rad": 0.4, "m/s": 1.0, "rad/s": 3.0, "n": 20.0, "n m": 2.0, "nm": 2.0}
"""Size at which a quantity of this unit starts to matter on a robot of about one metre."""

SHAPES: Mapping[Polarity, Mapping[Shape, float]] = {
    "cost": {"exp": 0.45, "inverse": 0.2, "linear": 0.15, "tanh": 0.1, "indicator": 0.1},
    "gain": {"linear": 0.5, "exp": 0.3, "inverse": 0.1, "indicator": 0.1},
    "signal": {"linear": 0.6, "tanh": 0.35, "indicator": 0.05},
    "constant": {"linear": 1.0},
}
"""The possible shapes of a polarity with their prior probabilities; the first is the simplest."""


@dataclass(frozen=True)
class Measure:
    """One way to compute a number from the state; `_fill` fills in `label` and `meaning`."""

    polarity: Polarity
    prior: float
    """How likely it is to be the goal of a task, before the description is read."""
    label: str
    meaning: str
    code: Code
    unit: str | None = None
    """None means the unit of the variable."""
    regulariser: bool = False
    """True for measures of good behaviour (effort, speed) rather than of the goal."""


def at(name: str, axis: int | None) -> str:
    """Return the code that reads entry `axis` of a vector, or the whole variable for None."""
    return name if axis is None else f"{name}[:, {axis}]"


def _norm(code: str) -> str:
    return f"torch.norm({code}, dim=-1)"


def _difference(a: str, b: str, spec: StateSpec) -> str:
    """Return code for |a - b|; for a group of points `(k, 3)`, the mean over its points."""
    sizes = [len(spec.shapes[name]) for name in (a, b)]
    if max(sizes) == 0:
        return f"torch.abs({a} - {b})"
    left, right = (
        f"{n}.unsqueeze(1)" if size < max(sizes) else n
        for n, size in zip((a, b), sizes, strict=True)
    )
    return _norm(f"{left} - {right}") + (".mean(dim=-1)" if max(sizes) == 2 else "")


def _distance(feature: Feature, spec: StateSpec) -> str:
    a, b = feature.names
    return _difference(a, b, spec)


def _progress(feature: Feature, spec: StateSpec) -> str:
    """Return code for the decrease of the distance to a goal, or between two moving things.

    A goal is taken at its current value, so that a goal that jumps does not count as a step back.
    """
    a, b = feature.names
    earlier = b if spec[b].goal_for else f"prev_{b}"
    return f"{_difference(f'prev_{a}', earlier, spec)}{BREAK}- {_difference(a, b, spec)}"


def _decrease(feature: Feature, spec: StateSpec) -> str:
    (name,) = feature.names
    return f"prev_{name} - {name}"


def _increase(feature: Feature, spec: StateSpec) -> str:
    (name,) = feature.names
    return f"{at(name, feature.axis)} - {at(f'prev_{name}', feature.axis)}"


def _rotation_between(a: str, b: str) -> str:
    """Return code for the angle from `a` to `b`: 2 acos|<a, b>|, in either order of entries."""
    return f"2.0 * torch.acos(torch.clamp(torch.abs(torch.sum({a} * {b}, dim=-1)), max=1.0))"


def _rotation(feature: Feature, spec: StateSpec) -> str:
    return _rotation_between(*feature.names)


def _rotation_progress(feature: Feature, spec: StateSpec) -> str:
    a, b = feature.names
    return f"{_rotation_between(f'prev_{a}', b)}{BREAK}- {_rotation_between(a, b)}"


def _alignment(feature: Feature, spec: StateSpec) -> str:
    a, b = feature.names
    return f"torch.clamp(torch.sum({a} * {b}, dim=-1), -1.0, 1.0)"


def _upright(feature: Feature, spec: StateSpec) -> str:
    """Return code for the z entry of a unit vector, or of a quaternion's rotated z axis.

    For a unit quaternion this is 1 - 2 (x^2 + y^2).
    """
    (q,) = feature.names
    if spec[q].kind == "unit_vector":
        return f"{q}[:, 2]"
    x = 1 if spec[q].kind == "quaternion_wxyz" else 0
    return f"1.0 - 2.0 * ({q}[:, {x}] ** 2 + {q}[:, {x + 1}] ** 2)"


def _element(feature: Feature, spec: StateSpec) -> str:
    return at(feature.names[0], feature.axis)


def _height(feature: Feature, spec: StateSpec) -> str:
    (name,) = feature.names
    if feature.axis is not None:
        return at(name, feature.axis)
    return f"{name}[:, :, 2].mean(dim=-1)" if len(spec.shapes[name]) == 2 else f"{name}[:, 2]"


def _length(feature: Feature, spec: StateSpec) -> str:
    (name,) = feature.names
    ndim = len(spec.shapes[name])
    if ndim == 0:
        return f"torch.abs({name})"
    return _norm(name) if ndim == 1 else _norm(f"{name}.flatten(1)")


def _change_of_action(feature: Feature, spec: StateSpec) -> str:
    (name,) = feature.names
    return f"torch.sum(({name} - prev_{name}) ** 2, dim=-1)"


def _of(template: str) -> Code:
    return lambda feature, spec: template.format(feature.names[0])


def _magnitude(feature: Feature, spec: StateSpec) -> str:
    return f"torch.abs({_element(feature, spec)})"


def _cosine(feature: Feature, spec: StateSpec) -> str:
    return f"torch.cos({_element(feature, spec)})"


def _alive(feature: Feature, spec: StateSpec) -> str:
    """Return code for a one in each environment, shaped like the first variable of the state."""
    variable = spec.variables[0]
    first = f"[:{', 0' * len(variable.shape)}]" if variable.shape else ""
    return f"torch.ones_like({variable.name}{first})"


MEASURES: Mapping[str, Measure] = {
    "distance": Measure("cost", 1.0, "{a}_to_{b}", "distance from {a} to {b}", _distance),
    "progress": Measure(
        "signal",
        0.3,
        "progress_of_{a}_to_{b}",
        "decrease of the distance from {a} to {b}",
        _progress,
        "step",
    ),
    "rotation": Measure(
        "cost", 1.0, "{a}_to_{b}", "angle of the rotation from {a} to {b}", _rotation, "rad"
    ),
    "rotation_progress": Measure(
        "signal",
        0.3,
        "turn_of_{a}_to_{b}",
        "decrease of the angle from {a} to {b}",
        _rotation_progress,
        "step",
    ),
    "alignment": Measure(
        "gain", 1.0, "{a}_along_{b}", "cosine between {a} and {b}", _alignment, "1"
    ),
    "velocity": Measure("signal", 0.4, "{a}_{axis}", "{a} along {axis}", _element, "m/s"),
    "spin": Measure("signal", 0.3, "{a}_{axis}", "{a} about {axis}", _element, "rad/s"),
    "displacement": Measure(
        "signal", 0.2, "{a}_step_{axis}", "movement of {a} along {axis}", _increase, "step"
    ),
    "increase": Measure("signal", 0.3, "{a}_increase", "increase of {a}", _increase, "step"),
    "decrease": Measure("signal", 0.3, "{a}_decrease", "decrease of {a}", _decrease, "step"),
    "upright": Measure("gain", 0.7, "{a}_upright", "how upright {a} is", _upright, "1"),
    "heading": Measure("gain", 0.3, "{a}_{axis}", "{axis} entry of {a}", _element, "1"),
    "height": Measure("signal", 0.5, "{a}_height", "height of {a}", _height, "m"),
    "centre": Measure(
        "cost",
        0.4,
        "{a}_off_centre",
        "horizontal offset of {a}",
        _of("torch.norm({}[:, :2], dim=-1)"),
    ),
    "element": Measure("signal", 0.2, "{element}", "{entry}", _element),
    "magnitude": Measure("cost", 0.4, "{element}_size", "size of {entry}", _magnitude),
    "cosine": Measure("gain", 0.3, "{element}_cosine", "cosine of {entry}", _cosine, "1"),
    "flag": Measure("signal", 0.5, "{a}", "{a}", _of("{}.float()"), "1"),
    "force": Measure("cost", 0.2, "{a}_strength", "strength of {a}", _length),
    "speed": Measure("cost", 0.4, "{a}_norm", "norm of {a}", _length, regulariser=True),
    "posture": Measure(
        "cost",
        0.2,
        "{a}_from_zero",
        "mean size of {a}",
        _of("torch.mean(torch.abs({}), dim=-1)"),
        regulariser=True,
    ),
    "effort": Measure(
        "cost",
        0.5,
        "{a}_effort",
        "sum of the squares of {a}",
        _of("torch.sum({} ** 2, dim=-1)"),
        "1",
        True,
    ),
    "smoothness": Measure(
        "cost", 0.3, "{a}_change", "change of {a} since the last step", _change_of_action, "1", True
    ),
    "alive": Measure(
        "constant", 0.5, "alive", "every step that the episode goes on", _alive, "1", True
    ),
}

_MOTIONS = ("velocity", "spin")
"""Measures that have a direction even as an entry of a longer vector."""


def measure_of(feature: Feature) -> Measure:
    """Return the feature's measure."""
    return MEASURES[feature.measure]


def expression(feature: Feature, spec: StateSpec) -> str:
    """Return the feature's code: an expression of shape `(num_envs,)`."""
    return measure_of(feature).code(feature, spec)


def unit(feature: Feature, spec: StateSpec) -> str:
    """Return the feature's unit; `step` is a length or an angle per environment step."""
    own = measure_of(feature).unit
    if own is not None and not (feature.measure == "increase" and is_potential(feature.names[0])):
        return own
    return entry_unit(spec, feature.names[0], feature.axis)


def typical(feature: Feature, spec: StateSpec) -> float:
    """Return the size at which the feature starts to matter, in its unit."""
    name = unit(feature, spec)
    return 0.02 if name == "step" else TYPICAL.get(name.casefold(), 0.5)


def is_potential(name: str) -> bool:
    """Whether a variable is a potential, whose increase is a reward by itself (Ng et al. 1999)."""
    return "potential" in name


def direction_of(feature: Feature, spec: StateSpec) -> int | None:
    """Return 0, 1 or 2 if the feature is along or about x, y or z."""
    if feature.axis is None or not feature.names:
        return None
    variable = spec[feature.names[0]]
    if variable.shape != (3,) and feature.axis < len(variable.elements):
        return (
            AXES.find(variable.elements[feature.axis][-1]) if feature.measure in _MOTIONS else None
        )
    return feature.axis


def label(feature: Feature, spec: StateSpec) -> str:
    """Return the feature's name, an identifier."""
    return re.sub(r"\W+", "_", _fill(measure_of(feature).label, feature, spec)).strip("_").lower()


def meaning(feature: Feature, spec: StateSpec) -> str:
    """Return what the feature is, in words."""
    packed = feature.axis is not None and spec[feature.names[0]].shape != (3,)
    return _fill(
        "{entry}" if packed and feature.measure in _MOTIONS else measure_of(feature).meaning,
        feature,
        spec,
    )


def entry_unit(spec: StateSpec, name: str, axis: int | None) -> str:
    """Return the unit of one entry; for a mix such as `m, rad`, the entry's own if it is known."""
    variable = spec[name]
    units = [
        part.strip() for part in re.split(r"[,;|]|\bor\b|\band\b", variable.unit) if part.strip()
    ]
    if axis is None or len(units) < 2:
        return units[0] if units else ""
    if len(units) == len(variable.elements) == variable.shape[-1]:
        return units[axis]
    words = (
        set(re.findall(r"[a-z]+", variable.elements[axis].lower()))
        if axis < len(variable.elements)
        else set()
    )
    turning = bool(words & {"angle", "pitch", "roll", "yaw", "tilt", "hinge", "pole", "rotation"})
    return next((part for part in units if ("rad" in part) == turning), units[0])


def _fill(template: str, feature: Feature, spec: StateSpec) -> str:
    """Fill in {a}, {b}, {axis}, {element} and {entry}.

    For an entry, {element} is e.g. `dof_pos pole` and {entry} `the pole entry of dof_pos`.
    """
    a, b = (*feature.names, "", "")[:2]
    axis = feature.axis
    if axis is None:
        return template.format(a=a, b=b, element=a, entry=a)
    elements = spec[a].elements
    element = elements[axis] if axis < len(elements) else str(axis)
    name = element if elements else AXES[axis] if axis < len(AXES) else str(axis)
    entry = f"the {element} entry of {a}" if elements else f"entry {axis} of {a}"
    return template.format(a=a, b=b, axis=name, element=f"{a} {element}", entry=entry)
