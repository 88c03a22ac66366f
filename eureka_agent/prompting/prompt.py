"""Write prompts: the templates of `prompts/`, filled with the task and the results so far.

The environment is shown as a compact Python class (Text2Reward, Xie et al. 2024) with the code of
what the policy controls and sees (Eureka, Ma et al. 2024). Fitness code and human rewards are never
part of it; `initial_reward="human"` shows the human reward as a parent.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import jinja2

from eureka_agent.records import Example, Feedback, Message, Operator, Outcome, Prompt
from eureka_agent.tasks.task import StateVariable, Task
from eureka_agent.text import STAGE_WORDS, number_in_prompt, short_numbers_in_prompt

_SHOWN_FAILURES = 3  # failed rewards whose code a retry prompt shows


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
    operator: Operator | None
    examples: Sequence[Example]
    asked_as: str


def write_prompt(
    task: Task,
    description: str,
    generation: int,
    parents: Sequence[Outcome],
    history: Sequence[Outcome],
    feedback: Sequence[Feedback] = (),
    *,
    spoken_of: Sequence[Outcome] = (),
    operator: Operator | None = None,
    examples: Sequence[Example] = (),
    asked_as: str = "",
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
        operator: what to do with the parents; None: whatever the proposer thinks best.
        examples: rewards for other tasks, nearest first.
        asked_as: the user's words for the task, if they differ from `description`.

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
        operator,
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
        # An instruction that is not the task's own has no fitness; rankings judge it.
        has_fitness=request.description == request.task.description,
        operator=request.operator,
    )


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
        **_feedback_values(request.parents, outcomes, request.feedback),
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


def describe(variable: StateVariable) -> str:
    """Return one line: shape, unit, frame, meaning, entries."""
    shape = f"(num_envs,{','.join(f' {size}' for size in variable.shape)})"
    unit = f" {variable.unit}" if variable.unit not in ("", "-") else ""
    facts = [f"{variable.frame} frame"] if variable.frame not in ("", "-") else []
    facts += [variable.kind.replace("_", " ")] if variable.kind.startswith("quaternion") else []
    line = f"{shape}{unit}{''.join(f', {fact}' for fact in facts)}: {variable.meaning}"
    line += f"; the target of {variable.goal_for}" if variable.goal_for else ""
    return line + (f"; entries: {', '.join(variable.elements)}" if variable.elements else "")


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
    environment.filters["number"] = number_in_prompt
    environment.globals.update(
        number=number_in_prompt,
        short=lambda value: short_numbers_in_prompt([value])[0],
        percent=lambda share: f"{share:.0%}",
        fenced=fenced,
        describe=describe,
        stage_words={stage: words.to_model for stage, words in STAGE_WORDS.items()},
    )
    return environment


def _messages(
    task: Task, template: str, examples: Sequence[Example], **values: object
) -> tuple[Message, Message]:
    methods = task.policy_code
    shown = {
        "methods": {"control": "", **{name: _source(method) for name, method in methods.items()}},
        "method_constants": {
            name: value for method in methods.values() for name, value in _numbers(method).items()
        },
    }
    user = render(template, task=task, examples=examples, **shown, **values)
    return Message("system", render("system.md")), Message("user", user)


@dataclass(frozen=True)
class _Remark:
    """The comments on one candidate, as the prompt shows them."""

    outcome: Outcome
    words: Sequence[str]
    role: str = ""
    with_code: bool = True
    with_numbers: bool = False


@dataclass(frozen=True)
class _Choice:
    """One ranking, as the prompt shows it."""

    generation: int
    ranked: Sequence[Outcome]
    others: Sequence[str]


def _feedback_values(
    parents: Sequence[Outcome], history: Sequence[Outcome], feedback: Sequence[Feedback]
) -> dict[str, object]:
    """Return the values of `feedback.md`: comments on parents, the worst, the others; the past."""
    outcomes = {outcome.candidate.name: outcome for outcome in (*history, *parents)}
    words = {name: _words_on(name, feedback) for name in outcomes}
    best = [outcome.candidate.name for outcome in parents]
    last = feedback[-1] if feedback else Feedback(0)
    worst = [last.worst] if last.worst and last.worst not in best else []
    others = [name for name in last.words if name not in (*best, *worst)]
    remarks = [
        _Remark(outcomes[name], words[name], "shown above", with_code=False)
        for name in best
        if words[name]
    ]
    remarks += [
        _Remark(outcomes[name], words[name], "liked least this time", with_numbers=True)
        for name in worst
    ]
    remarks += [_Remark(outcomes[name], words[name]) for name in others]
    now = {remark.outcome.candidate.name for remark in remarks}
    return {
        "remarks": remarks,
        "choices": [_choice(each, outcomes) for each in feedback if each.ranking],
        "earlier": [
            _Remark(outcomes[name], words[name])
            for name in outcomes
            if words[name] and name not in now
        ],
    }


def _words_on(name: str, feedback: Sequence[Feedback]) -> list[str]:
    """Return the comments on a candidate, oldest first."""
    return [each.words[name] for each in feedback if name in each.words]


def _choice(feedback: Feedback, outcomes: Mapping[str, Outcome]) -> _Choice:
    """Return a ranking with its outcomes, and the trained candidates that it does not name."""
    others = [
        name
        for name, outcome in outcomes.items()
        if outcome.evaluation
        and outcome.candidate.generation == feedback.generation
        and name not in feedback.ranking
    ]
    return _Choice(feedback.generation, [outcomes[name] for name in feedback.ranking], others)


def _last_failures(history: Sequence[Outcome]) -> list[Outcome]:
    """Return the failures of the latest generation in `history`, one for each distinct message."""
    failures = [o for o in history if o.failure and o.candidate.generation == _latest(history)]
    return list({outcome.failure: outcome for outcome in reversed(failures)}.values())[::-1]


def _latest(history: Sequence[Outcome]) -> int:
    return max((outcome.candidate.generation for outcome in history), default=0)


def _source(function: Callable[..., object]) -> str:
    """Return a method's code without its docstring; "" if it has no source file."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError:
        return ""
    definition = ast.parse(source).body[0]
    lines = source.rstrip("\n").split("\n")
    if (
        isinstance(definition, ast.FunctionDef)
        and ast.get_docstring(definition)
        and len(definition.body) > 1
    ):
        docstring = definition.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)


def _numbers(function: Callable[..., object]) -> dict[str, float]:
    """Return the module-level numbers that a method's code uses."""
    function = inspect.unwrap(function)
    code, known = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    values = {name: known.get(name) for name in (code.co_names if code else ())}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
