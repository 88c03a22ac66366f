"""Ask the judge about a generation, once."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.records import Feedback, Outcome
from eureka_agent.runs.store import Store
from eureka_agent.search.events import FeedbackRequested, Listener
from eureka_agent.search.feedback import FeedbackRequest, Judge, checked
from eureka_agent.search.strategies import Best
from eureka_agent.tasks.task import Task


def ask_judge(
    judge: Judge | None,
    store: Store,
    task: Task,
    best: Best,
    emit: Listener,
    generation: int,
    outcomes: Sequence[Outcome],
    history: Sequence[Outcome],
) -> Feedback | None:
    """Return the feedback on a generation and store it; stored feedback is returned as it is.

    None without a judge, if nothing was trained, or if the run has gone past this generation.
    `history`: all outcomes up to and including `outcomes`, the generation's own.
    """
    stored = store.feedback().get(generation)
    trained = [outcome for outcome in outcomes if outcome.evaluation]
    if stored is not None or judge is None or not trained or store.prompts(generation + 1):
        return stored
    previous_best = best([o for o in history if o.candidate.generation < generation])
    parents = {prompt.parents[0] for prompt in store.prompts(generation) if prompt.parents}
    other_parents = tuple(
        outcome
        for outcome in history
        if outcome.candidate.name in parents and outcome not in (previous_best, *outcomes)
    )
    shown = [outcome.candidate for outcome in (previous_best, *other_parents, *trained) if outcome]
    policies = {c.name: store.policy(c.generation, c.index) for c in shown}
    request = FeedbackRequest(
        task,
        store.config.task.instruction(task),
        store.config.task.has_fitness,
        generation,
        tuple(outcomes),
        previous_best,
        other_parents,
        policies={name: policy for name, policy in policies.items() if policy is not None},
        folder=store.path.parent,
    )
    emit(FeedbackRequested(generation))
    feedback = checked(judge.ask(request), request, history)
    store.save_feedback(feedback)
    return feedback
