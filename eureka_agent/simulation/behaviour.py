"""Record what policies do in an evaluation, and describe each as a `Behaviour`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from eureka_agent.records import TIME_LIMIT, Behaviour, EndCause, EpisodeSketch, HalfGains
from eureka_agent.simulation.batched_env import Step
from eureka_agent.simulation.quantities import QuantityReader
from eureka_agent.simulation.spreads import MOMENTS, most_changing, spread
from eureka_agent.tasks.task import State, Task

_DIVERGED = "the physics diverged"
_UNNAMED = "terminated"
_ROWS = 6
"""Moments of a sketch."""
_COLUMNS = 4
_MOST_SPREADS = 11
_SKETCHES = 3
_CLEARLY_WORSE = 0.1
"""Share of the largest absolute fitness by which the worst episodes are below the median."""
_SAME = 1e-3
"""Relative difference up to which the fitness per step counts as the same in all episodes."""


class BehaviourRecorder:
    """Records the first episode of every environment; its `watch` is for `run_episodes`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._read = QuantityReader(task.reward_inputs)
        self._trace: list[Tensor] = []
        """`(num_envs, quantities)` each: the start, then after every step."""
        self._going = torch.zeros(0, dtype=torch.bool)
        """`(num_envs,)`: whether the environment's first episode goes on."""
        self._gains: list[Tensor] = []
        """`(num_envs,)` each: the fitness that every step added."""
        self._causes: list[str] = []

    def watch(self, before: State, step: Step) -> None:
        """Record a step that started from the state `before`."""
        if not self._trace:
            self._start(before, step)
        self._trace.append(self._read(step.state).cpu())
        self._gains.append(step.fitness.cpu())
        ended = self._going & (step.terminated | step.truncated).cpu()
        if ended.any():
            self._note_ends(ended, step)
            self._going &= ~ended

    def end_of(self, env: int) -> str:
        """Return in words why the first episode of an environment ended."""
        return self._causes[env]

    def behaviours(self, numbers: Sequence[Mapping[str, Tensor]]) -> list[Behaviour]:
        """Describe each policy.

        Args:
            numbers: What `run_episodes` returned for the recorded episodes.

        Returns:
            One record per policy, without components.
        """
        found: list[Behaviour] = []
        start = 0
        for each in numbers:
            rows = range(start, start + len(each["fitness"]))
            found.append(self._behaviour(rows, each))
            start = rows.stop
        return found

    def _start(self, before: State, step: Step) -> None:
        count = len(step.terminated)
        # No action led to the start, so the actions shown there are the first ones.
        variables = self._task.reward_inputs.variables
        actions = [each.name for each in variables if each.kind == "action"]
        first = {**before, **{name: step.state[name] for name in actions}}
        self._trace.append(self._read(first).cpu())
        self._going = torch.ones(count, dtype=torch.bool)
        self._causes = [TIME_LIMIT] * count

    def _note_ends(self, ended: Tensor, step: Step) -> None:
        """Note why the environments `ended` terminated; what the time limit ended is noted."""
        terminated = (ended & step.terminated.cpu()).nonzero()[:, 0]
        if not len(terminated):
            return
        ids = terminated.to(step.terminated.device)
        causes = self._task.end_causes({name: value[ids] for name, value in step.state.items()})
        held = {cause: holds.tolist() for cause, holds in causes.items()}
        diverged = step.bad[ids].tolist()
        for row, env in enumerate(terminated.tolist()):
            named = (cause for cause, holds in held.items() if holds[row])
            self._causes[env] = _DIVERGED if diverged[row] else next(named, _UNNAMED)

    def _behaviour(self, rows: range, numbers: Mapping[str, Tensor]) -> Behaviour:
        lengths = [int(length) for length in numbers["length"].tolist()]
        values = self._at_moments(rows, lengths)
        quantities = self._read.quantities
        chosen = most_changing(values, _MOST_SPREADS)
        columns = sorted(chosen[:_COLUMNS])
        typical, worst = _typical_and_worst(numbers["fitness"])
        first = self._first_halves(rows, lengths)
        second = numbers["fitness"].double() - first

        def sketches(episodes: Sequence[int]) -> tuple[EpisodeSketch, ...]:
            return tuple(
                self._sketch(rows[each], lengths[each], float(numbers["fitness"][each]), columns)
                for each in episodes
            )

        return Behaviour(
            episodes=len(rows),
            step_s=self._task.dt,
            ends=_ends([self._causes[row] for row in rows], lengths),
            fitness_alive=_fitness_alive(numbers, self._task.max_episode_steps),
            late_share=_share(float(second.sum()), float(first.sum())),
            fitness_solved=self._task.fitness_solved,
            halves=self._halves(rows, first, second),
            spreads=tuple(spread(quantities[each], values[:, :, each]) for each in sorted(chosen)),
            columns=tuple(f"{quantities[c].name} {quantities[c].unit}".strip() for c in columns),
            typical=sketches(typical),
            worst=sketches(worst),
        )

    def _last(self, row: int, length: int) -> int:
        """Return the last moment of an episode with numbers that mean something."""
        return length - 1 if self._causes[row] == _DIVERGED else length

    def _at_moments(self, rows: range, lengths: Sequence[int]) -> Tensor:
        """Return `(MOMENTS, episodes, quantities)`: evenly spaced from start to end of each."""
        trace = torch.stack([moment[rows.start : rows.stop] for moment in self._trace])
        pairs = zip(rows, lengths, strict=True)
        last = torch.tensor([self._last(row, length) for row, length in pairs])
        parts = torch.arange(MOMENTS)[:, None]
        steps = last * parts // (MOMENTS - 1)
        return trace[steps, torch.arange(len(rows))].double()

    def _sketch(
        self, row: int, length: int, fitness: float, columns: Sequence[int]
    ) -> EpisodeSketch:
        last = self._last(row, length)
        steps = sorted({round(last * index / (_ROWS - 1)) for index in range(_ROWS)})
        moments = [
            (step * self._task.dt, *self._trace[step][row][list(columns)].tolist())
            for step in steps
        ]
        return EpisodeSketch(fitness, length, self._causes[row], tuple(moments))

    def _first_halves(self, rows: range, lengths: Sequence[int]) -> Tensor:
        """Return `(episodes,)`: the fitness that each episode gained in its first half."""
        gains = torch.stack([gain[rows.start : rows.stop] for gain in self._gains]).double()
        until = torch.tensor(lengths) // 2
        steps = torch.arange(len(gains))[:, None]
        return torch.where(steps < until, gains, 0.0).sum(dim=0)

    def _halves(self, rows: range, first: Tensor, second: Tensor) -> HalfGains | None:
        full = torch.tensor([self._causes[row] == TIME_LIMIT for row in rows])
        count = int(full.sum())
        if count == 0:
            return None
        first, second = first[full], second[full]
        error = float((first - second).std()) / math.sqrt(count) if count > 1 else math.inf
        return HalfGains(count, float(first.mean()), float(second.mean()), error)


def _share(part: float, rest: float) -> float:
    """Return `part` as a share of both; NaN if together they are not above 0."""
    return part / (part + rest) if part + rest > 0.0 else math.nan


def _ends(causes: Sequence[str], lengths: Sequence[int]) -> tuple[EndCause, ...]:
    """Return the causes of the end, most frequent first."""
    totals: Counter[str] = Counter()
    for cause, length in zip(causes, lengths, strict=True):
        totals[cause] += length
    counts = Counter(causes).most_common()
    return tuple(EndCause(cause, count, totals[cause] / count) for cause, count in counts)


def _fitness_alive(numbers: Mapping[str, Tensor], max_episode_steps: int) -> float:
    """Return `Behaviour.fitness_alive`."""
    fitness, length = numbers["fitness"].double(), numbers["length"].double()
    rate = fitness / length
    if float(rate.max() - rate.min()) <= _SAME * float(rate.abs().max()):
        return math.nan
    return float(fitness.sum() / length.sum()) * max_episode_steps


def _typical_and_worst(fitness: Tensor) -> tuple[list[int], list[int]]:
    """Return the episodes nearest to the median and those clearly below it, worst first."""
    values = fitness.double()
    median = float(values.quantile(0.5))
    limit = median - _CLEARLY_WORSE * float(values.abs().max())
    nearest = (values - median).abs().argsort(stable=True).tolist()
    lowest = values.argsort(stable=True).tolist()
    worst = [each for each in lowest if float(values[each]) < limit][:_SKETCHES]
    typical = [each for each in nearest if each not in worst][:_SKETCHES]
    return typical, worst
