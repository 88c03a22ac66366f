"""Write prompts: the templates of `prompts/`, filled with the task and the results so far.

The environment is shown as a compact Python class (Text2Reward, Xie et al. 2024) with the code of
what the policy controls and sees (Eureka, Ma et al. 2024). Fitness code and human rewards are never
part of it; `initial_reward="human"` shows the human reward as a parent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import jinja2

from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.feedback import feedback_values
from eureka_agent.prompting.history import history_of
from eureka_agent.prompting.task_code import numbers_of, source_of
from eureka_agent.records import Example, Feedback, Message, Outcome, Prompt, SampleRole
from eureka_agent.tasks.task import StateSpec, StateVariable, Task
from eureka_agent.text import STAGE_WORDS, number_in_prompt, short_numbers_in_prompt

_SHOWN_FAILURES = 3  # failed rewards whose code a retry prompt shows
_NEAR = 0.05  # as a share of the fitness that solves the task


@dataclass(frozen=True)
class _Request:
    """What a prompt is written from; see `write_prompt`."""

    task: Task
    description: str
    generation: int
    parents: Sequence[Outcome]
    history: Sequence[Outcome]
    feedback: Sequence[Feedback]
    spoken_of: Sequence[Outcome]
    role: SampleRole | None
    facts: RunFacts
    examples: Sequence[Example]
    asked_as: str

    @property
    def has_fitness(self) -> bool:
        """False for an instruction that is not the task's own; rankings judge it."""
        return self.description == self.task.description


def write_prompt(
    task: Task,
    description: str,
    generation: int,
    parents: Sequence[Outcome],
    history: Sequence[Outcome],
    feedback: Sequence[Feedback] = (),
    *,
    spoken_of: Sequence[Outcome] = (),
    role: SampleRole | None = None,
    examples: Sequence[Example] = (),
    asked_as: str = "",
    facts: RunFacts | None = None,
) -> Prompt:
    """Return the prompt for a generation.

    With parents it asks to improve on them. Without, it asks again if every candidate failed, with
    the reasons, and otherwise asks as at the start of a search.

    Args:
        task: the task; the prompt shows its state, control and observation.
        description: the instruction, normally the task's own.
        generation: index of the generation to ask for.
        parents: outcomes to improve on, best first.
        history: outcomes of the search so far, failures included, oldest first.
        feedback: the judge's feedback so far, oldest first.
        spoken_of: outcomes that `feedback` comments on and `history` does not contain.
        role: what to do with the parents; None: whatever the proposer thinks best.
        examples: rewards for other tasks, nearest first.
        asked_as: the user's words for the task, if they differ from `description`.
        facts: settings, measured figures and estimates of the run; by default they are left out.

    Returns:
        A prompt with a system and a user message.
    """
    request = _Request(
        task,
        description,
        generation,
        parents,
        history,
        feedback,
        spoken_of,
        role,
        facts or RunFacts(),
        examples,
        asked_as,
    )
    if parents:
        return _next_prompt(request)
    if history and all(outcome.failure for outcome in history):
        return _retry_prompt(request)
    return _filled("first.md", request)


def _next_prompt(request: _Request) -> Prompt:
    """Ask to improve on the parents, with the failures and duplicates of the last generation."""
    last = _latest(request.history)
    repeats = [
        outcome
        for outcome in request.history
        if outcome.duplicate_of and outcome.candidate.generation == last
    ]
    return _filled(
        "next.md",
        request,
        parents=request.parents,
        failures=_last_failures(request.history),
        repeats=repeats,
        summaries=[_summary(parent, request) for parent in request.parents[1:]],
        progress=history_of(request.history, request.parents, request.facts),
        near_solved=request.has_fitness and _is_near_solved(request),
        role=request.role,
    )


def _summary(parent: Outcome, request: _Request) -> str:
    """Return the results of a parent that is not the best, shorter than its reflection."""
    if parent.training is None and parent.evaluation is None:
        return ""
    return render(
        "summary.md",
        outcome=parent,
        fitness_unit=request.task.fitness_unit if request.has_fitness else None,
        max_episode_steps=request.task.max_episode_steps,
    )


def _is_near_solved(request: _Request) -> bool:
    """Whether the best parent solves the task or nearly so: a better one learns it faster."""
    best = request.facts.estimates.get(request.parents[0].candidate.name)
    if best is None:
        return False
    solved = request.task.fitness_solved
    margin = _NEAR * abs(solved)
    low = best.low if math.isfinite(best.low) else best.value
    return min(best.value, low + margin) >= solved - margin


def _retry_prompt(request: _Request) -> Prompt:
    """Ask again after a generation of failures; a few are shown with their code."""
    failures = _last_failures(request.history)
    coded = {outcome.failure: outcome for outcome in reversed(failures) if outcome.candidate.reward}
    shown = list(reversed(coded.values()))[:_SHOWN_FAILURES]
    return _filled("retry.md", request, failures=failures, shown=shown)


def _filled(template: str, request: _Request, **values: object) -> Prompt:
    """Return the prompt of a template, filled with the request and further values."""
    outcomes = (*request.spoken_of, *request.history)
    messages = _messages(
        request.task,
        template,
        request.examples,
        description=request.description,
        asked_as=request.asked_as,
        has_fitness=request.has_fitness,
        facts=request.facts,
        **feedback_values(request.parents, outcomes, request.feedback),
        **values,
    )
    return Prompt(
        request.generation,
        messages,
        tuple(request.parents),
        tuple(request.history),
        tuple(request.feedback),
    )


def repair_prompt(prompt: Prompt, failed: Outcome) -> Prompt:
    """Return the prompt that sends an answer back with the reason why it failed before training.

    Args:
        prompt: the prompt that was answered.
        failed: the outcome of the answer; it has a failure.

    Returns:
        `prompt` with the answer, if it is not empty, and the failure as further messages.
    """
    answer = failed.candidate.completion
    # Servers refuse empty messages.
    answered = (Message("assistant", answer.text),) if answer.text.strip() else ()
    reason = Message("user", render("repair.md", failure=failed.failure))
    return replace(prompt, messages=(*prompt.messages, *answered, reason), repair=answer.repair + 1)


def render(template: str, **values: object) -> str:
    """Return the template `template` of `prompts/`, filled in. Undefined names are errors."""
    return _templates().get_template(template).render(**values).strip() + "\n"


def describe(variable: StateVariable, spec: StateSpec | None = None) -> str:
    """Return one line: shape, unit, frame, meaning, entries.

    Args:
        variable: The variable.
        spec: The state that it belongs to; entries that an earlier variable of it has are not
            listed again.
    """
    shape = f"(num_envs,{','.join(f' {size}' for size in variable.shape)})"
    unit = f" {variable.unit}" if variable.unit not in ("", "-") else ""
    facts = [f"{variable.frame} frame"] if variable.frame not in ("", "-") else []
    facts += [variable.kind.replace("_", " ")] if variable.kind.startswith("quaternion") else []
    line = f"{shape}{unit}{''.join(f', {fact}' for fact in facts)}: {variable.meaning}"
    line += f"; the target of {variable.goal_for}" if variable.goal_for else ""
    if not variable.elements:
        return line
    same = [each for each in spec.variables if each.elements == variable.elements] if spec else []
    if same and same[0].name != variable.name:
        return f"{line}; entries: those of {same[0].name}"
    return f"{line}; entries: {', '.join(variable.elements)}"


def fenced(code: str) -> str:
    """Return code in a Markdown fence that nothing inside the code can close."""
    mark = "```"
    while mark in code:
        mark += "`"
    return f"{mark}python\n{code.rstrip()}\n{mark}"


@cache
def _templates() -> jinja2.Environment:
    folder = resources.files("eureka_agent.prompts")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(
            lambda name: folder.joinpath(name).read_text(encoding="utf-8")
        ),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number_in_prompt, brief=_brief)
    environment.globals.update(
        brief=_brief,
        known=lambda value: not math.isnan(value),
        half_life=lambda discount: round(math.log(0.5) / math.log(discount)),
        number=number_in_prompt,
        short=lambda value: short_numbers_in_prompt([value])[0],
        percent=lambda share: f"{share:.0%}",
        fenced=fenced,
        describe=describe,
        stage_words={stage: words.to_model for stage, words in STAGE_WORDS.items()},
    )
    return environment


def _brief(value: float) -> str:
    """Return a number of three digits, for tables and curves."""
    return f"{value + 0.0:.3g}"


def _messages(
    task: Task, template: str, examples: Sequence[Example], **values: object
) -> tuple[Message, Message]:
    user = render(template, task=task, examples=examples, **code_values(task), **values)
    return Message("system", render("system.md")), Message("user", user)


def code_values(task: Task) -> dict[str, object]:
    """Return the values of `environment.md`: the code of what the policy controls and sees."""
    methods = task.policy_code
    return {
        "methods": {"control": "", **{name: source_of(method) for name, method in methods.items()}},
        "method_constants": {
            name: value
            for method in methods.values()
            for name, value in numbers_of(method, task).items()
        },
    }


def _last_failures(history: Sequence[Outcome]) -> list[Outcome]:
    """Return the failures of the latest generation in `history`, one for each distinct message."""
    failures = [o for o in history if o.failure and o.candidate.generation == _latest(history)]
    return list({outcome.failure: outcome for outcome in reversed(failures)}.values())[::-1]


def _latest(history: Sequence[Outcome]) -> int:
    return max((outcome.candidate.generation for outcome in history), default=0)
