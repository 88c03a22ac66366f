"""From the fields of the feedback form to a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from eureka_agent.errors import UsageError
from eureka_agent.records import Outcome
from eureka_agent.runs.database import now
from eureka_agent.runs.drafts import Draft, Mark, Pair, Preference
from eureka_agent.server.verdict import Ballot

_LONGEST_COMMENT = 10_000
_LONGEST_CODE = 100_000
"""Characters; the checks refuse far shorter code, with a reason."""
_MOST_PAIRS = 10_000
_MARKS: Mapping[str, Mark] = {"keep": "keep", "drop": "drop"}
_PREFERENCES: Mapping[str, Preference] = {"left": "left", "right": "right", "equal": "equal"}


def draft_from(fields: Mapping[str, str], ballot: Ballot, before: Draft) -> Draft:
    """Return the draft that a form holds; the form does not hold the comparisons of pairs.

    Args:
        fields: The form's fields. For each candidate `words.NAME`, `edit.NAME` and, for each of its
            components, `mark.NAME.INDEX`; `best` and `worst` hold a name or nothing.
        ballot: What the form is about.
        before: The draft so far.

    Returns:
        The new draft, which is not submitted.

    Raises:
        UsageError: A field is not one of the form's, or too long.
    """
    words: dict[str, str] = {}
    marks: dict[str, dict[str, Mark]] = {}
    edited: dict[str, str] = {}
    known = {outcome.candidate.name: outcome for outcome in ballot.shown}
    for field, value in fields.items():
        kind, _, rest = field.partition(".")
        name, _, index = rest.partition(".")
        if kind in ("best", "worst", "action") and not rest:
            continue
        if name not in known:
            raise _unknown(field)
        if kind == "words" and not index:
            _add(words, name, _limited(value, _LONGEST_COMMENT, f"The comment on {name}"))
        elif kind == "edit" and not index:
            code = _limited(value, _LONGEST_CODE, f"The code for {name}")
            _add(edited, name, "" if code.strip() == code_of(known[name]).strip() else code)
        elif kind == "mark":
            component = _component(known[name], index, field)
            if value in _MARKS:
                marks.setdefault(name, {})[component] = _MARKS[value]
        else:
            raise _unknown(field)
    return replace(
        before,
        best=fields.get("best") or None,
        worst=fields.get("worst") or None,
        words=words,
        marks=marks,
        edited=edited,
        submitted=False,
        stop=False,
        saved=now(),
    )


def with_answer(draft: Draft, fields: Mapping[str, str], ballot: Ballot) -> Draft:
    """Return the draft with one more comparison, or without the last one.

    Args:
        draft: The draft so far.
        fields: `action` is `left`, `right`, `equal` or `undo`; `left` and `right` hold the names.
        ballot: What the comparison is about.

    Raises:
        UsageError: The candidates cannot be compared.
    """
    action = fields.get("action", "")
    pairs = draft.pairs
    if action == "undo":
        pairs = pairs[:-1]
    elif action in _PREFERENCES and len(pairs) < _MOST_PAIRS:
        names = (fields.get("left", ""), fields.get("right", ""))
        if names[0] == names[1] or not set(names) <= set(ballot.rankable):
            raise UsageError("Two candidates of this generation can be compared, no others.")
        pairs = (*pairs, Pair(*names, _PREFERENCES[action]))
    else:
        raise UsageError("An answer is left, right, equal or undo.")
    return replace(draft, pairs=pairs, submitted=False, saved=now())


def code_of(outcome: Outcome) -> str:
    """Return a candidate's code; empty if it has none that can be read."""
    return outcome.candidate.reward.code if outcome.candidate.reward else ""


def components_of(outcome: Outcome) -> tuple[str, ...]:
    """Return the names of a candidate's components; the form counts them from 0."""
    curves = outcome.training.components if outcome.training else ()
    return tuple(curve.name for curve in curves)


def _component(outcome: Outcome, index: str, field: str) -> str:
    components = components_of(outcome)
    if not (index.isascii() and index.isdecimal() and len(index) < 6):
        raise _unknown(field)
    if int(index) >= len(components):
        raise _unknown(field)
    return components[int(index)]


def _add(found: dict[str, str], name: str, value: str) -> None:
    if value.strip():
        found[name] = value


def _limited(value: str, most: int, what: str) -> str:
    if len(value) > most:
        raise UsageError(f"{what} has {len(value):,} characters; at most {most:,} are allowed.")
    return value


def _unknown(field: str) -> UsageError:
    return UsageError(f"The form has no field {field[:60]!r}.")
