"""Write a genome as a reward function, as a careful person would write it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from eureka_agent.proposers.grammar.genome import Factor, Genome, Term
from eureka_agent.proposers.grammar.measures import (
    BREAK,
    expression,
    label,
    meaning,
    measure_of,
    unit,
)
from eureka_agent.tasks.task import StateSpec

_MAX_LINE = 100
_RESERVED = frozenset({"torch", "Tensor", "compute_reward", "reward"})


def component_names(genome: Genome, spec: StateSpec) -> tuple[str, ...]:
    """Return one name for each term: the keys of the dictionary that the reward returns."""
    names: list[str] = []
    for term in genome.terms:
        name = label(term.main.feature, spec) + ("_gated" if len(term.factors) > 1 else "")
        names.append(_unused(name, names))
    return tuple(names)


def to_code(genome: Genome, spec: StateSpec) -> str:
    """Return the source of `compute_reward` in Eureka's form (arXiv 2310.12931, section 3)."""
    return _Writer(genome, spec).source()


def in_words(genome: Genome, spec: StateSpec) -> str:
    """Return what the reward asks for, as a list in words."""
    return "; ".join(_term_in_words(term, spec) for term in genome.terms)


def _term_in_words(term: Term, spec: StateSpec) -> str:
    """Return what a term asks for, in words."""
    what, polarity = meaning(term.main.feature, spec), measure_of(term.main.feature).polarity
    if polarity == "cost":
        what = f"a {'small' if term.weight > 0 else 'large'} {what}"
    elif term.weight < 0:
        what = f"less {what}"
    return what + "".join(f", as far as {_condition(gate, spec)}" for gate in term.factors[1:])


def _condition(gate: Factor, spec: StateSpec) -> str:
    size = "small" if measure_of(gate.feature).polarity == "cost" else "large"
    return f"the {meaning(gate.feature, spec).removeprefix('the ')} is {size}"


class _Writer:
    """Writes one reward and keeps local variables distinct from state names."""

    def __init__(self, genome: Genome, spec: StateSpec) -> None:
        self._genome = genome
        self._spec = spec
        self._taken: list[str] = [*spec.names, *_RESERVED]
        self._features: dict[str, str] = {}
        """Expression to the local variable that holds it."""

    def source(self) -> str:
        names = component_names(self._genome, self._spec)
        rewards, blocks = [], []
        for name, term in zip(names, self._genome.terms, strict=True):
            reward = self._name(f"{name}_reward")
            rewards.append(reward)
            blocks.append(self._term(reward, term))
        body = "\n\n".join(blocks)
        total = _wrapped("    reward = ", " + ", rewards)
        entries = [
            f'        "{name}": {reward},' for name, reward in zip(names, rewards, strict=True)
        ]
        returned = "\n".join(["    return reward, {", *entries, "    }"])
        doc = _paragraph(f"Reward {in_words(self._genome, self._spec)}.")
        imports = ["import torch", "from torch import Tensor", "", ""]
        return "\n".join([*imports, self._signature(body), doc, body, "", total, returned, ""])

    def _signature(self, body: str) -> str:
        """Return the signature: exactly the state that the body reads, in the state's order."""
        read = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"#.*|\"[^\"]*\"", "", body)))
        parameters = [f"{name}: Tensor" for name in self._spec.shapes if name in read]
        one_line = (
            f"def compute_reward({', '.join(parameters)}) -> tuple[Tensor, dict[str, Tensor]]:"
        )
        if len(one_line) <= _MAX_LINE:
            return one_line
        lines = "".join(f"    {parameter},\n" for parameter in parameters)
        return f"def compute_reward(\n{lines}) -> tuple[Tensor, dict[str, Tensor]]:"

    def _term(self, reward: str, term: Term) -> str:
        comment = f"Reward {_term_in_words(term, self._spec)}."
        lines = textwrap.wrap(
            comment, _MAX_LINE, initial_indent="    # ", subsequent_indent="    # "
        )
        factors = [
            self._shaped(factor, self._value(factor, lines), lines) for factor in term.factors
        ]
        penalty = term.main.shape == "linear" and measure_of(term.main.feature).polarity == "cost"
        weight = -term.weight if penalty else term.weight
        product = factors if weight == 1.0 else [repr(weight), *factors]
        lines.append(_wrapped(f"    {reward} = ", " * ", product))
        return "\n".join(lines)

    def _value(self, factor: Factor, lines: list[str]) -> str:
        """Return the local variable of the factor's feature; write its line on first use."""
        code = expression(factor.feature, self._spec)
        if code in self._spec.names:
            return code
        if code not in self._features:
            self._features[code] = self._name(label(factor.feature, self._spec))
            lines.append(_wrapped(f"    {self._features[code]} = ", " ", code.split(BREAK)))
        return self._features[code]

    def _shaped(self, factor: Factor, value: str, lines: list[str]) -> str:
        polarity = measure_of(factor.feature).polarity
        if factor.shape == "linear":
            return value
        kind = "threshold" if factor.shape == "indicator" else "temperature"
        scale = self._name(f"{value}_{kind}")
        measured_in = unit(factor.feature, self._spec)
        lines.append(
            f"    {scale} = {factor.scale!r}"
            + (f"  # {measured_in}" if _is_unit(measured_in) else "")
        )
        if polarity == "signal":
            return (
                f"torch.tanh({value} / {scale})"
                if factor.shape == "tanh"
                else f"({value} > {scale}).float()"
            )
        error = f"(1.0 - {value})" if polarity == "gain" else value
        return {
            "exp": f"torch.exp(-{error} / {scale})",
            "tanh": f"(1.0 - torch.tanh({error} / {scale}))",
            "inverse": f"(1.0 / (1.0 + ({error} / {scale}) ** 2))",
            "indicator": f"({error} < {scale}).float()",
        }[factor.shape]

    def _name(self, wanted: str) -> str:
        name = _unused(wanted, self._taken)
        self._taken.append(name)
        return name


def _is_unit(name: str) -> bool:
    return bool(name) and name not in ("1", "-", "step")


def _unused(wanted: str, taken: Iterable[str]) -> str:
    """Return `wanted`, with a number from 2 on if it is taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _wrapped(start: str, joint: str, parts: Sequence[str]) -> str:
    """Return `start` and the joined parts on one line, or in parentheses with one part a line."""
    line = start + joint.join(parts)
    if len(line) <= _MAX_LINE or len(parts) == 1:
        return line
    lines = [f"        {joint.lstrip() if i else ''}{part}" for i, part in enumerate(parts)]
    return "\n".join([f"{start}(", *lines, "    )"])


def _paragraph(text: str) -> str:
    """Return an indented docstring with filled lines."""
    indent = "    "
    one_line = f'{indent}"""{text}"""'
    if len(one_line) <= _MAX_LINE:
        return one_line
    filled = textwrap.fill(f'"""{text}', _MAX_LINE, initial_indent=indent, subsequent_indent=indent)
    return f'{filled}\n{indent}"""'
