"""From the events of a run to the calls of a tracker."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_agent.records import Evaluation, ReevaluationSeed
from eureka_agent.report.tracking.numbers import (
    curve_points,
    finite,
    results_of,
    search_numbers,
    settings_of,
)
from eureka_agent.report.tracking.tracker import SearchInfo, SearchResult, Tracker
from eureka_agent.runs.directory import RunDir
from eureka_agent.search.events import (
    BaselinesMeasured,
    Event,
    GenerationFinished,
    InitialRewardEvaluated,
    RunFinished,
    RunStarted,
    SeedReevaluated,
    SeedTrained,
    TrainingProgress,
    TrainingStarted,
)

_Results = Mapping[str, float] | None


class TrackingListener:
    """A listener that passes the trainings and results of a run to a tracker.

    A training stays open until its result is known: that of a candidate's first training is the
    mean over its seeds, which the end of its generation tells.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._open: list[str] = []
        self._has_fitness = True
        self._searching = False

    def __call__(self, event: Event) -> None:
        """Pass on what `event` says. Raises whatever the tracker raises."""
        match event:
            case RunStarted():
                self._has_fitness = event.config.task.has_fitness
                self._searching = True
                self._tracker.open_search(
                    SearchInfo(event.path.name, event.path, settings_of(event))
                )
            case TrainingStarted():
                self._open_trainings(event.names)
            case TrainingProgress():
                self._log(event)
            case RunFinished():
                self._close_search(_search_result(event, has_fitness=self._has_fitness))
            case _:
                for name, results in self._results(event).items():
                    self._close_training(name, results)

    def close(self) -> None:
        """Close what a search that was stopped left open."""
        self._close_search(None)

    def _open_trainings(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._close_training(name, None)  # it starts over
            self._tracker.open_training(name)
            self._open.append(name)

    def _log(self, event: TrainingProgress) -> None:
        progress = event.progress
        for k, name in enumerate(event.names):
            if progress.alive[k] and (points := curve_points(progress, k)):
                self._tracker.log(name, points, progress.environment_steps)

    def _close_training(self, name: str, results: _Results) -> None:
        if name in self._open:
            self._open.remove(name)
            self._tracker.close_training(name, results)

    def _close_search(self, result: SearchResult | None) -> None:
        for name in list(self._open):
            self._close_training(name, None)
        if self._searching:
            self._searching = False
            self._tracker.close_search(result)

    def _results(self, event: Event) -> dict[str, _Results]:
        """Return the results that an event tells, by the name of the training."""
        match event:
            case InitialRewardEvaluated(outcome):
                return {outcome.candidate.name: self._numbers(outcome.overall)}
            case BaselinesMeasured(baselines):
                return {f"{each.name} reward": self._numbers(each.overall) for each in baselines}
            case SeedTrained(number=number, fitness=fitness):
                return {
                    f"{name} seed {number}": finite({"result/fitness": value})
                    for name, value in fitness.items()
                }
            case GenerationFinished(generation):
                return {
                    each.candidate.name: self._numbers(each.overall) for each in generation.outcomes
                }
            case SeedReevaluated(final, number):
                names = [name for name in self._open if name.endswith(f" final seed {number}")]
                return {name: self._numbers(_final(final, name)) for name in names}
        return {}

    def _numbers(self, evaluation: Evaluation | None) -> _Results:
        if evaluation is None:
            return None
        return results_of(evaluation, has_fitness=self._has_fitness)


def _final(final: ReevaluationSeed, name: str) -> Evaluation | None:
    """Return the evaluation of a final training, by the name of the training."""
    if name.startswith("human"):
        return final.human.evaluation if final.human else None
    return final.sparse.evaluation if name.startswith("sparse") else final.best.evaluation


def _search_result(event: RunFinished, *, has_fitness: bool) -> SearchResult:
    best_reward = RunDir(event.path).best_reward
    return SearchResult(
        search_numbers(event, has_fitness=has_fitness),
        best=event.best.candidate.name if event.best else None,
        best_reward=best_reward if event.best and best_reward.is_file() else None,
        report=(event.path.resolve() / "report.html").as_uri(),
    )
