"""Read a run's report from its database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eureka_agent.config import SynthesisConfig
from eureka_agent.jail import Layers
from eureka_agent.records import (
    INITIAL,
    Baseline,
    Feedback,
    Outcome,
    PromptRecord,
    ReevaluationSeed,
    RewardSource,
    candidate_name,
)
from eureka_agent.report.cost import Cost, Tokens
from eureka_agent.report.model import (
    CandidateReport,
    EffortReport,
    GenerationReport,
    ProtocolReport,
    ResultReport,
    RunReport,
    TaskReport,
)
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import StoredTask
from eureka_agent.search.estimates import estimates_of, expected
from eureka_agent.search.reevaluation import reevaluation_summary
from eureka_agent.search.selection import best_so_far, greedy, score_of
from eureka_agent.search.statistics import human_normalised
from eureka_agent.utils.serialization import from_json


def run_report(store: Store) -> RunReport:
    """Return everything that reports say about a run, finished or not.

    Args:
        store: The run's open database.

    Returns:
        The report.

    Raises:
        StoreError: The database cannot be read, or holds a damaged record.
    """
    config, outcomes, path = store.config, store.outcomes(), store.path.parent
    sandbox = store.metadata("sandbox")
    return RunReport(
        name=store.path.resolve().parent.name,
        path=path,
        task=_task(config, store.task, store.measure),
        protocol=_protocol(config, store.task, [example.name for example in store.examples]),
        changes=store.changes,
        sandbox_level=config.run.sandbox,
        sandbox=from_json(Layers, sandbox) if sandbox is not None else None,
        versions=store.versions,
        generations=_generations(store, config, outcomes),
        finished_generations=_finished_generations(store, config),
        outcomes=tuple(outcomes),
        result=_result(store, config, outcomes),
        effort=_effort(store, outcomes),
        stopped=store.stopped,
    )


def _task(config: SynthesisConfig, task: StoredTask, measure: RewardSource | None) -> TaskReport:
    return TaskReport(
        name=task.name,
        instruction=config.task.instruction(task),
        has_fitness=config.task.has_fitness,
        fitness_unit=task.fitness_unit,
        fitness_solved=task.fitness_solved,
        measure=measure.code if measure is not None else None,
        ends_early=config.task.ends_early,
        reward_inputs=task.reward_inputs,
    )


def _protocol(config: SynthesisConfig, task: StoredTask, examples: Sequence[str]) -> ProtocolReport:
    return ProtocolReport(
        models=tuple(config.models.weights),
        base_url=config.models.base_url,
        strategy=config.search.strategy,
        generations=config.search.generations,
        samples=config.search.samples,
        seed=config.search.seed,
        seeds=config.search.seeds if config.task.has_fitness else 1,
        final_seeds=config.search.final_seeds,
        races=config.race is not None,
        feedback=config.search.feedback,
        budget=config.training.budget,
        own_steps=config.training.environment_steps is not None,
        num_envs=task.budget.num_envs,
        environment_steps=task.budget.environment_steps,
        evaluation_episodes=task.budget.evaluation_episodes,
        trainer=config.training.trainer,
        device=config.training.device,
        initial_reward=config.search.initial_reward,
        init_policy=config.training.init_policy,
        examples=tuple(examples),
        judge=config.search.judge,
        judge_model=config.models.vision_model if config.search.judge == "vision" else None,
    )


# ---------------------------------------------------------------------- the generations
def _generations(
    store: Store, config: SynthesisConfig, outcomes: Sequence[Outcome]
) -> tuple[GenerationReport, ...]:
    prompts, feedback, checked = store.prompts(), store.feedback(), store.checks()
    known = {outcome.candidate.name: outcome for outcome in outcomes}
    parents = _parents(prompts)
    generations = []
    for index in (INITIAL, *range(config.search.generations)):
        completions = store.completions(index)
        candidates = []
        for sample, completion in sorted(completions.items()):
            name = candidate_name(index, sample)
            candidates.append(
                CandidateReport(
                    name, completion, parents.get(name, ()), name in checked, known.get(name)
                )
            )
        members = [outcome for outcome in outcomes if outcome.candidate.generation == index]
        asked = [answer.completion for answer in store.judge_answers(index)]
        if candidates or index in feedback:
            report = GenerationReport(
                index,
                tuple(candidates),
                parents=_parents_of_generation(prompts, index),
                best=greedy(members) if config.task.has_fitness else None,
                best_so_far=_best_until(index, outcomes, feedback, config),
                feedback=feedback.get(index),
                cost=Cost.of([*completions.values(), *store.replaced(index), *asked]),
            )
            generations.append(report)
    return tuple(generations)


def _best_until(
    index: int,
    outcomes: Sequence[Outcome],
    feedback: Mapping[int, Feedback],
    config: SynthesisConfig,
) -> Outcome | None:
    known = [outcome for outcome in outcomes if outcome.candidate.generation <= index]
    return best_so_far(known, feedback, has_fitness=config.task.has_fitness)


def _parents(prompts: Sequence[PromptRecord]) -> dict[str, tuple[str, ...]]:
    """Return the parents in each candidate's prompt by the candidate's name."""
    return {
        candidate_name(prompt.generation, sample): prompt.parents
        for prompt in prompts
        for sample in prompt.samples
    }


def _parents_of_generation(prompts: Sequence[PromptRecord], index: int) -> tuple[str, ...]:
    names = [name for prompt in prompts if prompt.generation == index for name in prompt.parents]
    return tuple(dict.fromkeys(names))


def _finished_generations(store: Store, config: SynthesisConfig) -> int:
    """Return how many generations are over; the last one that was asked for may not be."""
    if store.finished and store.stopped is None:
        return config.search.generations
    return max((prompt.generation for prompt in store.prompts()), default=0)


# ---------------------------------------------------------------------- the result
def _result(store: Store, config: SynthesisConfig, outcomes: Sequence[Outcome]) -> ResultReport:
    best = best_so_far(outcomes, store.feedback(), has_fitness=config.task.has_fitness)
    baselines, final_seeds = tuple(store.baselines()), tuple(store.finals())
    measured = config.task.has_fitness
    return ResultReport(
        best=best,
        expected=expected(best, outcomes, baselines) if best and measured else None,
        baselines=baselines,
        human_normalised=_human_normalised(best, baselines),
        final_seeds=final_seeds,
        reevaluation=reevaluation_summary(final_seeds),
        estimates=estimates_of(outcomes, baselines) if measured else {},
    )


def _human_normalised(best: Outcome | None, baselines: Sequence[Baseline]) -> float | None:
    scores = {baseline.name: score_of(baseline.overall) for baseline in baselines}
    if best is None or not {"human", "sparse"} <= scores.keys():
        return None
    return human_normalised(best.fitness, scores["human"], scores["sparse"])


def _effort(store: Store, outcomes: Sequence[Outcome]) -> EffortReport:
    asked = [answer.completion for answer in store.judge_answers()]
    replaced = [*store.replaced(), *asked]
    completions = [*store.answers().values(), *replaced]
    return EffortReport(
        started=store.metadata("started"),
        finished=store.metadata("finished"),
        seconds=store.seconds,
        environment_steps=_environment_steps(outcomes, store.baselines(), store.finals()),
        cost=Cost.of(completions),
        tokens=Tokens.of(completions),
        replaced=tuple(replaced),
    )


def _environment_steps(
    outcomes: Sequence[Outcome], baselines: Sequence[Baseline], finals: Sequence[ReevaluationSeed]
) -> int:
    """Return the environment steps of all trainings; a duplicate was not trained."""
    steps = sum(baseline.environment_steps for baseline in baselines)
    for outcome in outcomes:
        if outcome.duplicate_of is None:
            steps += outcome.environment_steps
    for final in finals:
        results = (final.best, final.human, final.sparse)
        steps += sum(result.environment_steps for result in results if result is not None)
    return steps
