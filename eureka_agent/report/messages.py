"""Events as sentences: the plain log prints all, the live display only the permanent ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eureka_agent.records import Baseline, Failure, Feedback, Outcome
from eureka_agent.report.announcements import (
    ignored_checkpoint,
    proposer_line,
    sandbox_line,
    where_rewards_run,
    where_trainings_start,
)
from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import (
    BASELINES,
    STAGES,
    decimals_for,
    duration,
    generation_title,
    instruction_line,
    number,
    one_line,
    plural,
    quantity,
    summarise,
    unit_of,
)
from eureka_agent.report.plan import plan_line
from eureka_agent.search.events import (
    BaselinesMeasured,
    FeedbackRequested,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    RequestRetried,
    RunFinished,
    RunStarted,
    SeedReevaluated,
    SeedTrained,
    TrackingFailed,
    TrainingStarted,
)
from eureka_agent.search.reevaluation import ReevaluationSummary
from eureka_agent.search.selection import greedy
from eureka_agent.search.statistics import Score
from eureka_agent.utils.out_of_memory import speaks_of_memory


def run_started(event: RunStarted) -> list[str]:
    """Return the run's instruction, proposer, size, sandbox and folder."""
    config, budget = event.config, event.budget
    return [
        instruction_line(
            event.task.name, config.task.instruction(event.task), ends_early=config.task.ends_early
        ),
        proposer_line(event.proposer, event.changes),
        (
            f"{plural(config.search.generations, 'generation')} of"
            f" {plural(config.search.samples, 'reward')}; each reward trains in"
            f" {budget.num_envs:,} environments for {quantity(budget.environment_steps)}"
            f" environment steps ({config.training.budget})."
        ),
        *where_trainings_start(config.training.init_policy),
        plan_line(event),
        sandbox_line(event.sandbox),
        f"{'Resuming' if event.resumed else 'Writing to'} {event.path}",
        *(["Judge the generations on this page:", event.page] if event.page else []),
    ]


def asked_again(event: RequestRetried, *, repeated: bool = False) -> str:
    """Return why a request failed and when it is sent again; `repeated` shortens a known reason."""
    reason = "the same reason." if repeated else event.reason
    pause = f"{event.pause_s:.1f}" if event.pause_s < 10.0 else f"{event.pause_s:.0f}"
    return one_line(
        f"{event.sample} is requested again in {pause} s"
        f" (try {event.attempt} of {event.of}): {reason}"
    )


def initial_reward_name(initial_reward: str | None) -> str:
    """Return `the human reward`, or `the reward in my_reward.py`."""
    if initial_reward == "human":
        return "the human reward"
    return f"the reward in {one_line(initial_reward or '')}"


def initial_reward_evaluated(event: InitialRewardEvaluated, run: RunStarted) -> str:
    """Return the result of the initial reward."""
    result = _named(event.outcome, unit_of(run))
    return (
        f"The search starts from {initial_reward_name(run.config.search.initial_reward)}: {result}."
    )


def gain_over_initial(
    outcomes: Sequence[Outcome], best: Outcome | None, unit: str | None
) -> list[str]:
    """Return by how much the best reward beats the initial one, if there is one."""
    initial = next((outcome for outcome in outcomes if outcome.candidate.is_initial), None)
    if initial is None or best is None:
        return []
    if best.candidate.is_initial:
        return ["The search found nothing better than the reward that it started from."]
    if unit is None:
        return [f"{best.candidate.name} was ranked above the reward that the search started from."]
    name, gain = best.candidate.name, number(best.fitness - initial.fitness)
    both = f"{number(best.fitness)} against {number(initial.fitness)}"
    found = f"{name} beats the reward that the search started from by {gain} {unit}".rstrip()
    return [f"{found} ({both}, one training each, and {name} is the best of many)."]


def generation_started(event: GenerationStarted, run: RunStarted) -> str:
    """Return what is requested from the proposer."""
    request = f"asking for {plural(run.config.search.samples, 'reward')}"
    again = " again, because all before failed" if event.attempt else ""
    return f"{generation_title(event.generation, run.config)}: {request}{again}."


def training_started(event: TrainingStarted) -> list[str]:
    """Return where the rewards are computed and why a checkpoint was ignored, if so."""
    return [*where_rewards_run(event.rewards), *ignored_checkpoint(event.ignored_checkpoint)]


def baselines_measured(event: BaselinesMeasured, unit: str | None) -> list[str]:
    """Return one sentence per baseline."""
    known = [
        f"{BASELINES[b.name].capitalize()}: {summarise(b.overall, unit)}." for b in event.baselines
    ]
    return [*no_human_reward(event.baselines), *known]


def no_human_reward(baselines: Sequence[Baseline]) -> list[str]:
    """Return what a comparison without a human reward lacks; empty if there is one."""
    if not baselines or any(baseline.name == "human" for baseline in baselines):
        return []
    return [
        "The task has no human reward, so there is no human-normalised score, and only the sparse"
        " reward is compared: what the fitness gains in each step."
    ]


def news(event: SeedTrained | SeedReevaluated | TrackingFailed, unit: str | None) -> str:
    """Return what happened, for events that one line tells."""
    match event:
        case SeedTrained():
            return _seed_trained(event, unit)
        case SeedReevaluated():
            return _seed_reevaluated(event, unit)
        case TrackingFailed(tracker, reason):
            return f"--log {tracker} failed, and the run goes on without it: {one_line(reason)}"


def _seed_trained(event: SeedTrained, unit: str | None) -> str:
    results = ", ".join(f"{name} {number(fitness)}" for name, fitness in event.fitness.items())
    return f"Seed {event.number} of {event.of}: {results}{f' {unit}' if unit else ''}."


def _seed_reevaluated(event: SeedReevaluated, unit: str | None) -> str:
    """Return the results of one final seed."""
    final = event.final
    names = {"best": final.best, BASELINES["human"]: final.human, BASELINES["sparse"]: final.sparse}
    known = {name: training for name, training in names.items() if training is not None}
    results = ", ".join(
        f"{name} {number(training.evaluation.fitness)}" for name, training in known.items()
    )
    return (
        f"Final training {event.number} of {event.of}, seed {final.seed}:"
        f" {results}{f' {unit}' if unit else ''}."
    )


def reevaluation_results(scores: ReevaluationSummary) -> list[str]:
    """Return the results over all final seeds."""
    rows = {BASELINES.get(name, name): row for name, row in scores.rows.items()}
    results = ", ".join(f"{name} {score_text(row)}" for name, row in rows.items())
    lines = [
        f"With {plural(scores.seeds, 'other training seed')} (interquartile mean, 95 % interval):"
        f" {results}."
    ]
    checkpoints = ", ".join(number(value) for value in scores.checkpoints)
    lines.append(f"Mean over the seeds of the training curve's best point: {checkpoints}.")
    if scores.human_normalised is not None and scores.clipped is not None:
        score, clipped = number(scores.human_normalised, 2), number(scores.clipped, 2)
        lines.append(f"Human-normalised score of these: {score}, clipped to 0 to 3: {clipped}.")
    return lines


def score_text(score: Score) -> str:
    """Return `2.31 (2.10 to 2.52)`."""
    if not (math.isfinite(score.low) and math.isfinite(score.high)):
        return f"{number(score.value)} (unknown)"
    decimals = decimals_for((score.value, score.low, score.high))
    return (
        f"{number(score.value, decimals)} ({number(score.low, decimals)} to"
        f" {number(score.high, decimals)})"
    )


def repair_requested(outcome: Outcome) -> str:
    """Return why a completion is sent back."""
    failure = outcome.failure
    reason = f": {STAGES[failure.stage]}: {one_line(failure.message)}" if failure else "."
    return f"{outcome.candidate.name} sent back{reason}"


def candidate_result(outcome: Outcome, unit: str | None) -> str:
    """Return a candidate's result."""
    name, failure = outcome.candidate.name, outcome.failure
    if outcome.duplicate_of:
        return f"{name}: computes the same as {outcome.duplicate_of}, which is trained already."
    if outcome.overall is not None:
        why = outcome.training.stopped if outcome.training else None
        early = f"; stopped early, {why}" if why else ""
        return f"{name}: {summarise(outcome.overall, unit)}{early}."
    if failure is None:
        return f"{name}: no result."
    rejected = "" if failure.stage == "training" else "rejected, "
    return (
        f"{name} {rejected}{STAGES[failure.stage]}:"
        f" {one_line(failure.message)}{memory_hint(failure)}"
    )


def memory_hint(failure: Failure) -> str:
    """Return what to lower if a reward's process had too little memory; else an empty string."""
    if not speaks_of_memory(failure.message):
        return ""
    return (
        " A smaller --num-envs lets a reward use less memory; a smaller --samples leaves more"
        " memory for each."
    )


def generation_finished(event: GenerationFinished, run: RunStarted) -> list[str]:
    """Return a generation's result, and the run's best if that is an older candidate."""
    generation, unit = event.generation, unit_of(run)
    repeated = sum(bool(outcome.duplicate_of) for outcome in generation.outcomes)
    trained = sum(
        outcome.evaluation is not None and not outcome.duplicate_of
        for outcome in generation.outcomes
    )
    failed = len(generation.outcomes) - trained - repeated
    title, so_far = generation_title(generation.index, run.config), generation.best
    if not trained and not repeated:
        lines = [f"{title}: none of its {plural(failed, 'reward')} worked."]
    else:
        best = greedy(generation.outcomes) if unit is not None else None
        result = f"; best {_named(best, unit)}" if best else ""
        counts = {"trained": trained, "duplicate": repeated, "failed": failed}
        done = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        lines = [f"{title}: {done}{result}."]
    if so_far is not None and (unit is None or so_far != greedy(generation.outcomes)):
        chosen = unit is None or so_far in generation.outcomes
        lines.append(f"{'Chosen' if chosen else 'Still the best'}: {_named(so_far, unit)}.")
    feedback = generation.feedback
    if feedback is not None:
        lines += score_lines(feedback)
    if feedback is not None and feedback.stop:
        lines.append("The search ends here, as the judge decided.")
    if feedback is not None and feedback.unanswered:
        lines.append(_unanswered(measured=unit is not None))
    return lines


def about_generation(
    event: GenerationStarted | FeedbackRequested | GenerationFinished, run: RunStarted
) -> list[str]:
    """Return that a generation is asked for, that it waits for a person, or its result."""
    match event:
        case GenerationStarted():
            return [generation_started(event, run)]
        case FeedbackRequested():
            return _feedback_requested(event, run)
        case GenerationFinished():
            return generation_finished(event, run)


def _feedback_requested(event: FeedbackRequested, run: RunStarted) -> list[str]:
    """Return where a person is asked; empty if that is at the terminal, or if nobody is."""
    if run.page is None:
        return []
    title = generation_title(event.generation, run.config)
    timeout = run.config.page.feedback_timeout_min
    ends = f" for {timeout:g} min" if timeout is not None else ""
    return [f"{title} waits{ends} for your answer on this page:", run.page]


def _unanswered(*, measured: bool) -> str:
    """Return what happens when nobody answered in time."""
    choice = "the fitness chose" if measured else "the best so far stays"
    return f"Nobody answered in time: {choice}, and the search goes on."


def feedback_lines(feedback: Feedback) -> list[str]:
    """Return the feedback on a generation: the ranking, the comments, the end of the search."""
    lines = [f"Ranked, best first: {' > '.join(feedback.ranking)}."] if feedback.ranking else []
    lines += score_lines(feedback)
    lines += [f"Comment on {name}: {one_line(words)}" for name, words in feedback.words.items()]
    lines += ["Nobody answered in time; the search went on."] if feedback.unanswered else []
    return [*lines, "The judge ended the search here."] if feedback.stop else lines


def score_lines(feedback: Feedback) -> list[str]:
    """Return a judge's scores, the highest first, each with what it is based on."""
    ranked = sorted(feedback.scores.items(), key=lambda item: -item[1].value)
    return [
        f"Score of {name}: {score.value:.2f} (spread {score.spread:.2f}), {one_line(score.basis)}."
        for name, score in ranked
    ]


def best_reward(event: RunFinished, unit: str | None) -> str:
    """Return the run's result."""
    if event.best is not None:
        return f"Best reward: {_named(event.best, unit)}."
    if any(outcome.overall for outcome in event.outcomes):
        return "No reward was chosen."
    if not event.outcomes:
        return "No reward was proposed."
    return f"No reward worked: all {plural(len(event.outcomes), 'candidate')} failed."


def stopped_early(event: RunFinished) -> list[str]:
    """Return which limit ended the search early, if one did."""
    return [one_line(f"Stopped early: {event.stopped}")] if event.stopped else []


def effort(event: RunFinished) -> str:
    """Return the environment steps, the time and the cost of the run."""
    completions = [outcome.candidate.completion for outcome in event.outcomes]
    cost = str(Cost.of([*completions, *event.replaced]))
    time, steps = duration(event.seconds), quantity(event.environment_steps)
    took = f"Took {time} and {steps} environment steps"
    return f"{took}; cost {cost}." if cost else f"{took}."


def _named(outcome: Outcome, unit: str | None) -> str:
    known = f", {summarise(outcome.overall, unit)}" if outcome.overall else ""
    return f"{outcome.candidate.name}{known}"
