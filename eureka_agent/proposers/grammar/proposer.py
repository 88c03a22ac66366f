"""The built-in proposer: evolutionary search over reward terms, without a model or a network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from eureka_agent.proposers.grammar import genome as genomes
from eureka_agent.proposers.grammar import operators, sampling
from eureka_agent.proposers.grammar.emit import component_names, in_words, to_code
from eureka_agent.proposers.grammar.genome import Genome
from eureka_agent.proposers.grammar.guidance import Advice, Shown, advise, credit
from eureka_agent.proposers.grammar.operators import Edit
from eureka_agent.proposers.grammar.ranking import preference_scores
from eureka_agent.proposers.grammar.vocabulary import Vocabulary
from eureka_agent.records import Completion, Outcome, Prompt
from eureka_agent.tasks.task import Task

_SMALL, _LARGE = 2.0, 5.0
"""Factors within which a mutation of numbers changes weights and scales."""
_TRIES = 20
"""Maximum number of draws for a reward that was not tried yet."""
_COMPLEXITIES = 6


@dataclass(frozen=True, eq=False)
class _Parent:
    """An outcome whose genome is known."""

    genome: Genome
    advice: tuple[Advice, ...]
    outcome: Outcome

    @property
    def name(self) -> str:
        known = math.isfinite(self.outcome.fitness)
        return self.outcome.candidate.name + (
            f" (fitness {self.outcome.fitness:.3g})" if known else ""
        )

    @property
    def shown(self) -> Shown:
        return self.genome, self.advice


class GrammarProposer:
    """Composes, mutates and crosses reward terms of the task's state, guided by trainings.

    Sample `index` of a generation depends only on the run's seed, the generation, the index and the
    prompt's parents, history and feedback; not on which other samples are requested, or when.

    Args:
        task: the task whose state the rewards read.
        seed: the run's seed.
        instruction: what the robot should do, by default the task's description; its words change
            the priors of terms.
    """

    name = "grammar"

    def __init__(self, task: Task, seed: int, *, instruction: str | None = None) -> None:
        self._vocabulary = Vocabulary(task.reward_inputs, instruction or task.description)
        self._seed = seed

    def propose(self, prompts: Mapping[int, Prompt]) -> Iterator[Completion]:
        """Yield one completion for each sample, in the order of `prompts`."""
        generations = {
            id(prompt): _Generation(self._vocabulary, self._seed, prompt)
            for prompt in prompts.values()
        }
        for index, prompt in prompts.items():
            started = time.perf_counter()
            text = self._text(generations[id(prompt)].sample(index))
            seconds = time.perf_counter() - started
            yield Completion(
                index=index, text=text, proposer=self.name, cost_usd=0.0, seconds=seconds
            )

    def _text(self, edit: Edit) -> str:
        spec = self._vocabulary.spec
        idea = f"Idea: reward {in_words(edit.genome, spec)}."
        code = to_code(edit.genome, spec)
        return f"{idea}\n\n{edit.note}\n\n```python\n{code}```\n\n{genomes.to_line(edit.genome)}\n"


class _Generation:
    """The samples of one generation, different from each other and from earlier rewards."""

    def __init__(self, vocabulary: Vocabulary, seed: int, prompt: Prompt) -> None:
        self._seed = seed
        self._prompt = prompt
        self._samples: list[Edit] = []
        scores = preference_scores(prompt.history, prompt.feedback)
        self._parents = _known(prompt, vocabulary, scores)
        shown = credit(
            [parent.shown for parent in self._parents], vocabulary.direction, self._ranks(scores)
        )
        self._vocabulary = vocabulary.with_credit(shown)
        known = (_genome(outcome, vocabulary) for outcome in (*prompt.history, *prompt.parents))
        self._tried = {genome.key for genome in known if genome is not None}

    def sample(self, index: int) -> Edit:
        """Return sample `index`; earlier samples are drawn first, so that it differs from them."""
        while len(self._samples) <= index:
            self._samples.append(self._draw(len(self._samples)))
            self._tried.add(self._samples[-1].genome.key)
        return self._samples[index]

    def _draw(self, index: int) -> Edit:
        edit = self._make(index, 0)
        for attempt in range(1, _TRIES):
            if edit.genome.key not in self._tried:
                break
            edit = self._make(index, attempt)
        return edit

    def _make(self, index: int, attempt: int) -> Edit:
        random = Random(f"{self._seed}/{self._prompt.generation}/{index}/{attempt}")
        if not self._parents:
            return self._first(random, index, attempt)
        if attempt > _TRIES // 2 or (self._is_plateau and index % 2):
            return self._fresh(random)
        return _PORTFOLIO[index % len(_PORTFOLIO)](self, random)

    # ------------------------------------------------------------------ parents
    @cached_property
    def _has_fitness(self) -> bool:
        return any(math.isfinite(parent.outcome.fitness) for parent in self._parents)

    @cached_property
    def _is_plateau(self) -> bool:
        """Whether the history gives no direction: equal fitness throughout, or nothing chosen."""
        values = [parent.outcome.fitness for parent in self._parents]
        if self._has_fitness:
            return len(values) > 1 and max(values) == min(values)
        return len(values) > 1 and not self._prompt.parents

    def _ranks(self, scores: Mapping[str, float]) -> list[float] | None:
        """Return each parent's preference score, scaled to 1 to -1; None if fitness orders them."""
        if self._has_fitness:
            return None
        return [
            2.0 * scores.get(parent.outcome.candidate.name, 0.5) - 1.0 for parent in self._parents
        ]

    def _second(self) -> _Parent:
        return self._parents[min(1, len(self._parents) - 1)]

    # ------------------------------------------------------------------ kinds of samples
    def _first(self, random: Random, index: int, attempt: int) -> Edit:
        """Without parents: first the simplest reading of the task, then from simple to complex."""
        if self._prompt.generation == index == attempt == 0:
            return Edit(
                sampling.simplest(self._vocabulary), "This is the plainest reading of the task."
            )
        lead = index if index < _COMPLEXITIES // 2 and attempt == 0 else None
        complexity = index if index < _COMPLEXITIES else random.randrange(1, _COMPLEXITIES)
        genome = sampling.fresh(self._vocabulary, random, complexity, lead)
        return Edit(genome, "This is a new start, drawn from the task's state and description.")

    def _fresh(self, random: Random) -> Edit:
        genome = sampling.fresh(self._vocabulary, random, random.randrange(_COMPLEXITIES))
        return Edit(genome, "This is a new start, to keep looking elsewhere.")

    def _small(self, random: Random) -> Edit:
        """Tune the best reward."""
        return self._numbers(random, self._parents[0], _SMALL)

    def _large(self, random: Random) -> Edit:
        """Try very different proportions of the best reward."""
        return self._numbers(random, self._parents[0], _LARGE)

    def _numbers(self, random: Random, parent: _Parent, spread: float) -> Edit:
        edit = operators.mutate_numbers(
            self._vocabulary, random, parent.genome, parent.advice, spread
        )
        return Edit(edit.genome, f"Changed the numbers of {parent.name}: {edit.note}.")

    def _structure(self, random: Random) -> Edit:
        best = self._parents[0]
        edit = operators.mutate_structure(self._vocabulary, random, best.genome, best.advice)
        return Edit(edit.genome, f"Changed {best.name}: {edit.note}.")

    def _runner_up(self, random: Random) -> Edit:
        second = self._second()
        if random.random() < 0.5:
            return self._numbers(random, second, _LARGE)
        edit = operators.mutate_structure(self._vocabulary, random, second.genome, second.advice)
        return Edit(edit.genome, f"Changed {second.name}: {edit.note}.")

    def _cross(self, random: Random) -> Edit:
        """Cross two parents drawn by rank; the second has promising terms that the first lacks."""
        first = sampling.pick(
            random, {parent: 1.0 / rank**2 for rank, parent in enumerate(self._parents, 1)}
        )
        offers: dict[_Parent, float] = {}
        for rank, parent in enumerate(self._parents, 1):
            if offer := operators.offer(self._vocabulary, parent.shown, first.genome):
                offers[parent] = max(offer.values()) / math.sqrt(rank)
        if not offers:
            return self._structure(random)
        second = sampling.pick(random, offers)
        edit = operators.crossover(self._vocabulary, random, first.shown, second.shown)
        return Edit(edit.genome, f"Crossed {first.name} with {second.name}: {edit.note}.")


_PORTFOLIO: Sequence[Callable[[_Generation, Random], Edit]] = (
    _Generation._small,
    _Generation._structure,
    _Generation._cross,
    _Generation._large,
    _Generation._structure,
    _Generation._runner_up,
    _Generation._fresh,
    _Generation._small,
)
"""The kind of each sample of a generation with parents; the first four cover the main kinds."""


def _known(prompt: Prompt, vocabulary: Vocabulary, scores: Mapping[str, float]) -> list[_Parent]:
    """Return the given parents, best first, then the rest by fitness or score, without failures."""
    ranked = sorted(prompt.history, key=lambda o: (-o.fitness, -scores.get(o.candidate.name, 0.5)))
    parents: dict[tuple[int, int], _Parent] = {}
    for outcome in (*prompt.parents, *ranked):
        genome = None if outcome.failure else _genome(outcome, vocabulary)
        key = (outcome.candidate.generation, outcome.candidate.index)
        if genome is not None and key not in parents:
            names = component_names(genome, vocabulary.spec)
            parents[key] = _Parent(genome, advise(genome, names, outcome), outcome)
    return list(parents.values())


def _genome(outcome: Outcome, vocabulary: Vocabulary) -> Genome | None:
    """Return the genome of an outcome that this grammar wrote; None for other rewards."""
    completion = outcome.candidate.completion
    if completion.proposer != GrammarProposer.name:
        return None
    genome = genomes.from_text(completion.text)
    return genome if genome is not None and vocabulary.accepts(genome) else None
