"""What is decided before a run starts: its stored config, its proposer and judge, its sandbox."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from eureka_agent.config import SynthesisConfig, TrackerName
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.judges import VisionJudge, make_judge
from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.description import LargestCost, ProposerDescription
from eureka_agent.proposers.factory import make_proposer
from eureka_agent.proposers.model import ANSWER_TOKENS, ServerProfile
from eureka_agent.records import Example, Message, Prompt
from eureka_agent.report.tracking.factory import make_trackers
from eureka_agent.report.tracking.tracker import Tracker
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, Listener
from eureka_agent.search.feedback import Judge, JudgeFunction, as_judge
from eureka_agent.search.state_figures import longest_figures
from eureka_agent.search.stored_spending import continue_spending
from eureka_agent.search.strategies import PARENTS
from eureka_agent.tasks.registry import looks_like_path, reference
from eureka_agent.tasks.task import Task
from eureka_agent.training import make_trainer
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.initial_policy import demand_fit, policy_to_text, shape_of_training
from eureka_agent.training.memory_check import refuse_too_large
from eureka_agent.training.policy import Policy
from eureka_agent.utils.serialization import from_json, to_json

_FEEDBACK_BYTES = 12_000
"""Size of an earlier reward with its results, and of the other candidates' figures, in a prompt;
rarely more."""


class RunOverrides(TypedDict, total=False):
    """Objects that a caller passes in place of what the config names."""

    proposer: Proposer
    """Writes the rewards, in place of the proposer that the config names."""
    judge: Judge | JudgeFunction
    """Gives feedback on each generation, in place of the judge that the config names."""
    listener: Listener
    """Called with every event of `eureka_agent.search.events`. By default a notebook shows lines of
    text below its cell, and a script shows nothing."""
    sandbox: Sandbox
    """An open sandbox, which can serve many runs; by default each run opens its own (two
    seconds)."""


@dataclass(frozen=True)
class Participants:
    """The proposer, the judge and the trackers of a run."""

    proposer: Proposer
    description: ProposerDescription
    """What the proposer is, and its largest possible cost."""
    judge: Judge | None
    trackers: Mapping[TrackerName, Tracker]
    """Where curves and results go besides TensorBoard."""


def asks_named_models(config: SynthesisConfig, overrides: Container[str]) -> bool:
    """Return whether the run asks models that its config names, to write rewards or to judge."""
    judges = config.search.judge == "vision" and "judge" not in overrides
    return "proposer" not in overrides or judges


def stored_config(config: SynthesisConfig, task: Task) -> SynthesisConfig:
    """Return the config to store: absolute paths, and a task object's path, id or name."""
    given = config.task.scene
    if task.id is not None:
        name = "task" if config.task.env is None else "env"
        none = {"task_path": None, "fitness": None, "env_kwargs": ()}
        return config.replaced(**{name: task.id, **none})
    if config.task.task_path is None and isinstance(given, str) and not looks_like_path(given):
        return config
    stored = reference(task)
    name = "task" if config.task.env is None else "env"
    return config.replaced(**{name: stored, "task_path": None})


def initial_policy_of(config: SynthesisConfig, task: Task) -> str | None:
    """Read the policy file that a new run's trainings start from, and check that it fits.

    Returns:
        The policy as base64; None if they start from no file.

    Raises:
        UsageError: The file is missing or not a policy, or does not fit the task and the budget.
    """
    if config.training.policy_file is None:
        return None
    policy = Policy.load(config.training.policy_file)
    demand_fit(policy, shape_of_training(task, training_budget(config, task)))
    return policy_to_text(policy.to_bytes())


def make_participants(
    config: SynthesisConfig,
    task: Task,
    overrides: RunOverrides,
    examples: Sequence[Example],
    runs_dir: Path | None = None,
) -> Participants:
    """Return a run's proposer, judge and trackers; `runs_dir`: the folder of an existing run.

    Raises UsageError for settings that cannot work, while nothing is written yet.
    """
    # The trainer's package may be missing.
    make_trainer(
        config.training.trainer_name,
        algorithm=config.training.algorithm,
        device=config.training.device,
    )
    trackers = make_trackers(config.run.log)
    refuse_too_large(config, task)
    proposer = overrides.get("proposer")
    if proposer is None:
        proposer, description = make_proposer(task, config)
    elif config.run.max_tokens is not None or config.run.max_cost_usd is not None:
        raise UsageError(
            "max_tokens and max_cost_usd limit the models that the config names; pass the limits of"
            " your own proposer to it:"
            " chat_proposer(..., spending=UsageLimits(max_cost_usd=...))."
        )
    else:
        description = ProposerDescription("own", proposer.name)
    own_judge = overrides.get("judge")
    judge = (
        as_judge(own_judge)
        if own_judge is not None
        else make_judge(config, task, proposer, runs_dir)
    )
    if isinstance(proposer, ChatProposer):
        largest_cost = _largest_cost(config, task, proposer, examples, judge)
        description = replace(description, largest_cost=largest_cost)
    return Participants(proposer, description, judge, trackers)


def _largest_cost(
    config: SynthesisConfig,
    task: Task,
    proposer: ChatProposer,
    examples: Sequence[Example],
    judge: Judge | None,
) -> LargestCost:
    """Return the most that the models can cost.

    Raises UsageError if the limits do not even allow one request.
    """
    first = longest_first_prompt(config, task, examples)
    worst, spending = proposer.worst_case(first.messages), proposer.spending
    if limit := spending.exceeded_by(worst):
        raise UsageError(
            f"{limit} is less than the first request alone may take ({worst}): raise it, or limit"
            " the length of answers (--answer-tokens)."
        )
    # A prompt with parents holds these messages, and the parents' results.
    more = Message("user", "x" * _FEEDBACK_BYTES * PARENTS)
    later = proposer.worst_case((*first.messages, more))
    num_first = 0 if config.search.starts_from_reward else config.search.samples
    num_later = config.search.samples * config.search.generations - num_first
    total = worst.times(num_first) + later.times(num_later)
    if isinstance(judge, VisionJudge):  # it also scores the best of the generation before
        total += judge.largest_usage((config.search.samples + 1) * config.search.generations)
    models = proposer.models.values()
    return LargestCost(
        usage=total,
        answer_tokens=max(model.answer_tokens or ANSWER_TOKENS for model in models),
        every_price_known=all(model.price is not None for model in models),
    )


def longest_first_prompt(
    config: SynthesisConfig, task: Task, examples: Sequence[Example] = ()
) -> Prompt:
    """Return a prompt that is at least as long as any that a run's first generation sends."""
    budget = training_budget(config, task)
    facts = RunFacts(budget, config.training.algorithm, longest_figures(task, budget))
    return write_prompt(
        task, config.task.instruction(task), 0, (), (), examples=examples, facts=facts
    )


def sandbox_of(config: SynthesisConfig, overrides: RunOverrides) -> AbstractContextManager[Sandbox]:
    """Return a context manager of the caller's sandbox, which stays open, or of a new one."""
    sandbox = overrides.get("sandbox")
    return nullcontext(sandbox) if sandbox is not None else Sandbox(required=config.run.sandbox)


@contextmanager
def opened_judge(judge: Judge | None) -> Iterator[None]:
    """Open a judge for the time of a run."""
    if judge is None:
        yield
        return
    judge.open()
    try:
        yield
    finally:
        judge.close()


def broadcast(*listeners: Listener | None) -> Listener:
    """Return a listener that passes every event to all of `listeners`."""
    present = [listener for listener in listeners if listener is not None]

    def emit(event: Event) -> None:
        for listener in present:
            listener(event)

    return emit


def connect(proposer: ChatProposer, store: Store, emit: Listener) -> None:
    """Give a proposer the run's spending and server profiles so far, and store every change."""
    proposer.emit = emit
    profiles = store.metadata("profiles")
    proposer.apply_profiles(from_json(dict[str, ServerProfile], profiles) if profiles else {})
    proposer.save_profiles = lambda known: store.save_metadata(
        "profiles", to_json(known, dict[str, ServerProfile])
    )
    continue_spending(proposer.spending, store)
