"""Operators on rewards: mutation of numbers, mutation of structure, crossover.

Each returns the child and one sentence that says what was changed and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from eureka_agent.proposers.grammar import sampling
from eureka_agent.proposers.grammar.genome import Factor, Genome, Term, rounded
from eureka_agent.proposers.grammar.guidance import Advice, Shown
from eureka_agent.proposers.grammar.measures import meaning, measure_of
from eureka_agent.proposers.grammar.vocabulary import Vocabulary

MAX_TERMS = 6
_SECOND = 0.4
"""A term that joins a working reward starts with this share of its largest term: small steps are
rarely wrong."""
_FOLLOWED = 0.7
"""Probability of following advice from the parent's training; the rest is exploration."""


@dataclass(frozen=True)
class Edit:
    """A child and a note on the change."""

    genome: Genome
    note: str


Change = Callable[[Vocabulary, Random, Genome, int], Edit | None]


# ---------------------------------------------------------------------- numbers
def mutate_numbers(
    vocabulary: Vocabulary, random: Random, parent: Genome, advice: Sequence[Advice], spread: float
) -> Edit:
    """Change weights and scales by up to a factor of `spread`, guided by the terms' advice."""
    if len(parent.terms) == 1 and (
        parent.terms[0].main.shape == "linear" or random.random() < _FOLLOWED
    ):
        # Scaling a whole reward changes nothing.
        return mutate_structure(vocabulary, random, parent, advice)
    touched = {random.randrange(len(parent.terms))} | {
        i for i in range(len(parent.terms)) if random.random() < 0.5
    }
    terms, notes = [], []
    for i, (term, hint) in enumerate(zip(parent.terms, advice, strict=True)):
        child, why = _advised(term, hint, random)
        if i in touched:
            child = _jittered(child, random, spread)
        child = sampling.bounded(vocabulary, child)
        if child != term:
            notes.append(_numbers_note(vocabulary, term, child, why))
        terms.append(child)
    return Edit(Genome(tuple(terms)), "; ".join(notes) or "nothing")


def _advised(term: Term, hint: Advice, random: Random) -> tuple[Term, str]:
    """Follow a term's advice with probability `_FOLLOWED`; return the term and the reason."""
    if random.random() > _FOLLOWED:
        return term, ""
    if hint.dominance > 1.0:
        return _scaled(term, 2.0 / hint.dominance), "it dominated the other components"
    if hint.flat and term.main.shape != "linear":
        wider = 3.0 if random.random() < 0.5 else 1 / 3.0
        return _rescaled(term, wider), "it stayed flat"
    if hint.flat:
        return _scaled(term, 3.0), "it stayed flat"
    if hint.harmful:
        return _scaled(term, 0.4), "it fell while the fitness rose"
    if hint.helpful:
        return _scaled(term, 1.0 + hint.correlation), "it rose with the fitness"
    return term, ""


def _jittered(term: Term, random: Random, spread: float) -> Term:
    child = _scaled(term, sampling.spread(random, spread))
    factors = tuple(
        f
        if f.shape == "linear"
        else replace(f, scale=rounded(f.scale * sampling.spread(random, spread)))
        for f in child.factors
    )
    return replace(child, factors=factors)


def _scaled(term: Term, multiplier: float) -> Term:
    return replace(term, weight=rounded(term.weight * multiplier))


def _rescaled(term: Term, multiplier: float) -> Term:
    return replace(term, factors=(_wider(term.main, multiplier), *term.factors[1:]))


def _wider(factor: Factor, multiplier: float) -> Factor:
    return replace(factor, scale=rounded(factor.scale * multiplier))


def _numbers_note(vocabulary: Vocabulary, before: Term, after: Term, why: str) -> str:
    parts = (
        [f"weight {before.weight:g} to {after.weight:g}"] if before.weight != after.weight else []
    )
    parts += [
        f"scale {old.scale:g} to {new.scale:g}"
        for old, new in zip(before.factors, after.factors, strict=True)
        if old.scale != new.scale
    ]
    return f"{_what(vocabulary, before)}: {', '.join(parts)}" + (f" ({why})" if why else "")


# ---------------------------------------------------------------------- structure
def mutate_structure(
    vocabulary: Vocabulary, random: Random, parent: Genome, advice: Sequence[Advice]
) -> Edit:
    """Add, drop, replace, reshape, gate or flip a term; first those the training speaks against."""
    suspects = [i for i, hint in enumerate(advice) if hint.harmful or hint.flat]
    if suspects and random.random() < _FOLLOWED:
        index = random.choice(suspects)
        changes = _HARMFUL if advice[index].harmful else _FLAT
        why = "it fell while the fitness rose" if advice[index].harmful else "it stayed flat"
    else:
        index, why = random.randrange(len(parent.terms)), ""
        changes = _BUILD if advice[index].helpful or len(parent.terms) == 1 else _ANY
    options = dict(changes)
    while options:
        change = sampling.pick(random, options)
        edit = change(vocabulary, random, parent, index)
        if edit is not None:
            return Edit(edit.genome, edit.note + (f" ({why})" if why else ""))
        del options[change]
    return Edit(parent, "nothing: no other structure is possible")


def add(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Add a term for a feature that the parent lacks."""
    feature = sampling.any_feature(vocabulary, random, [t.main.feature for t in parent.terms])
    if feature is None or len(parent.terms) >= MAX_TERMS:
        return None
    term = sampling.new_term(
        vocabulary, random, feature, _SECOND * sampling.level(vocabulary, parent)
    )
    return Edit(Genome((*parent.terms, term)), f"added {_what(vocabulary, term)}")


def drop(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Drop the term at `index`, unless it is the only one."""
    if len(parent.terms) == 1:
        return None
    rest = parent.terms[:index] + parent.terms[index + 1 :]
    return Edit(Genome(rest), f"dropped {_what(vocabulary, parent.terms[index])}")


def swap(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Replace the term at `index` by one for another feature."""
    feature = sampling.any_feature(vocabulary, random, [t.main.feature for t in parent.terms])
    if feature is None:
        return None
    term = sampling.new_term(
        vocabulary, random, feature, _SECOND * sampling.level(vocabulary, parent)
    )
    note = f"replaced {_what(vocabulary, parent.terms[index])} by {_what(vocabulary, term)}"
    return Edit(_with(parent, index, term), note)


def reshape(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Give the term at `index` another shape."""
    term = sampling.reshaped(vocabulary, random, parent.terms[index])
    if term is None:
        return None
    old, new = parent.terms[index].main.shape, term.main.shape
    return Edit(_with(parent, index, term), f"{_what(vocabulary, term)}: {new} in place of {old}")


def gate(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Gate the term at `index` by a second feature, or remove its gate."""
    old = parent.terms[index]
    if len(old.factors) > 1:
        return Edit(
            _with(parent, index, replace(old, factors=old.factors[:1])),
            f"{_what(vocabulary, old)}: no gate",
        )
    term = sampling.gated(vocabulary, random, old)
    if term is None:
        return None
    by = meaning(term.factors[1].feature, vocabulary.spec)
    return Edit(_with(parent, index, term), f"{_what(vocabulary, old)} now counts by {by}")


def flip(vocabulary: Vocabulary, random: Random, parent: Genome, index: int) -> Edit | None:
    """Flip the sign of the term at `index`, so that it asks for the opposite."""
    old = parent.terms[index]
    if old.main.feature.measure == "alive":
        return None
    return Edit(
        _with(parent, index, replace(old, weight=-old.weight)),
        f"flipped the sign of {_what(vocabulary, old)}",
    )


_HARMFUL: dict[Change, float] = {drop: 0.5, flip: 0.2, swap: 0.15, reshape: 0.15}
_FLAT: dict[Change, float] = {drop: 0.4, reshape: 0.4, swap: 0.2}
_BUILD: dict[Change, float] = {add: 0.6, reshape: 0.2, gate: 0.2}
_ANY: dict[Change, float] = {add: 0.35, swap: 0.15, reshape: 0.2, gate: 0.15, drop: 0.1, flip: 0.05}


# ---------------------------------------------------------------------- crossover
def crossover(vocabulary: Vocabulary, random: Random, first: Shown, second: Shown) -> Edit:
    """Take over one or two terms of the second reward into the first, by their credit in the run.

    Terms of the first that fell while the fitness rose are dropped. Terms that are taken over are
    scaled to be somewhat smaller than the first reward's largest component.
    """
    mine = list(zip(first[0].terms, first[1], strict=True))
    kept = [
        (t, hint) for t, hint in mine if not hint.harmful or random.random() > _FOLLOWED
    ] or mine
    kept = kept[: MAX_TERMS - 1]
    offered = offer(vocabulary, second, Genome(tuple(term for term, _ in kept)))
    largest = max(hint.size for _, hint in kept)
    new: list[Term] = []
    wanted = min(random.choice((1, 2)), MAX_TERMS - len(kept))
    while offered and len(new) < wanted:
        term, hint = sampling.pick(random, offered)
        del offered[term, hint]
        new.append(_matched(vocabulary, random, term, hint.size, largest))
    terms = (*(term for term, _ in kept), *new)
    taken = ", ".join(_what(vocabulary, term) for term in new) or "nothing"
    return Edit(
        Genome(terms), f"kept {len(kept)} of {len(first[0].terms)} terms and took over {taken}"
    )


def offer(vocabulary: Vocabulary, giver: Shown, taker: Genome) -> dict[tuple[Term, Advice], float]:
    """Return the terms of `giver` whose features `taker` lacks, each with the run's trust in it."""
    have = {term.main.feature for term in taker.terms}
    return {
        (term, hint): vocabulary.trust(term.main.feature)
        for term, hint in zip(giver[0].terms, giver[1], strict=True)
        if term.main.feature not in have
    }


def _matched(
    vocabulary: Vocabulary, random: Random, term: Term, size: float, wanted: float
) -> Term:
    """Scale a term to join others; regularisers such as penalties for effort stay as they are."""
    if measure_of(term.main.feature).regulariser or size <= 0.0 or wanted <= 0.0:
        return term
    return sampling.bounded(
        vocabulary, _scaled(term, _SECOND * wanted / size * sampling.spread(random, 2.0))
    )


def _with(genome: Genome, index: int, term: Term) -> Genome:
    return Genome((*genome.terms[:index], term, *genome.terms[index + 1 :]))


def _what(vocabulary: Vocabulary, term: Term) -> str:
    return meaning(term.main.feature, vocabulary.spec)
