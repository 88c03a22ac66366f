"""What a model is asked: the templates of `prompts/`, filled from the task and from what is known
so far.

The environment is shown as a compact Python class (Text2Reward, Xie et al. 2024) with the code of
what the policy controls and sees (Eureka, Ma et al. 2024). Neither fitness nor a human reward is
ever part of it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TypedDict

import jinja2

from eureka_agent.records import Example, Feedback, Message, Operator, Outcome, Prompt
from eureka_agent.tasks.task import StateVariable, Task

_SHOWN_FAILURES = 3  # failed rewards whose code a retry prompt shows
_STAGE_WORDS = {
    "extract": "no code was found",
    "check": "refused before it ran",
    "contract": "broke its contract on sample states",
    "screening": "refused before it was trained",
    "training": "broke while a policy was trained",
    "internal": "could not be tried out",
}


class PromptContext(TypedDict):
    """What every prompt may show beside the task."""

    spoken_of: Sequence[Outcome]
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
    operator: Operator = "",
    examples: Sequence[Example] = (),
    asked_as: str = "",
) -> Prompt:
    """Return the prompt that fits: the next one when there are parents, a retry when all failed,
    else the first.

    `spoken_of`: outcomes that `feedback` speaks of and `history` lacks. `asked_as`: the user's own
    words for the task, where they are not `description`.
    """
    given: PromptContext = {"spoken_of": spoken_of, "examples": examples, "asked_as": asked_as}
    if parents:
        return next_prompt(
            task, description, generation, parents, history, feedback, operator=operator, **given
        )
    if history and all(outcome.failure for outcome in history):
        return retry_prompt(task, description, generation, history, feedback, **given)
    return first_prompt(task, description, generation, history, feedback, **given)


def first_prompt(
    task: Task,
    description: str,
    generation: int = 0,
    history: Sequence[Outcome] = (),
    feedback: Sequence[Feedback] = (),
    *,
    spoken_of: Sequence[Outcome] = (),
    examples: Sequence[Example] = (),
    asked_as: str = "",
) -> Prompt:
    """Return the prompt that starts from nothing. `description` is the wish, normally the task's
    own."""
    said = _said((), (*spoken_of, *history), feedback)
    messages = _messages(
        task, "first.md", examples, description=description, asked_as=asked_as, **said
    )
    return Prompt(generation, messages, (), tuple(history), tuple(feedback))


def next_prompt(
    task: Task,
    description: str,
    generation: int,
    parents: Sequence[Outcome],
    history: Sequence[Outcome],
    feedback: Sequence[Feedback] = (),
    *,
    spoken_of: Sequence[Outcome] = (),
    operator: Operator = "",
    examples: Sequence[Example] = (),
    asked_as: str = "",
) -> Prompt:
    """Return the prompt that asks to improve on `parents` (best first), with what was said and the
    last failures.

    A wish that is not the task's own has no fitness: rankings judge it.
    """
    messages = _messages(
        task,
        "next.md",
        examples,
        description=description,
        asked_as=asked_as,
        parents=parents,
        failures=_last_failures(history),
        repeats=[
            o for o in history if o.duplicate_of and o.candidate.generation == _latest(history)
        ],
        has_fitness=description == task.description,
        operator=operator,
        **_said(parents, (*spoken_of, *history), feedback),
    )
    return Prompt(generation, messages, tuple(parents), tuple(history), tuple(feedback))


def retry_prompt(
    task: Task,
    description: str,
    generation: int,
    history: Sequence[Outcome],
    feedback: Sequence[Feedback] = (),
    *,
    spoken_of: Sequence[Outcome] = (),
    examples: Sequence[Example] = (),
    asked_as: str = "",
) -> Prompt:
    """Return the prompt after a round in which every candidate failed."""
    failures = _last_failures(history)
    coded = {outcome.failure: outcome for outcome in reversed(failures) if outcome.candidate.reward}
    shown = list(reversed(coded.values()))[:_SHOWN_FAILURES]
    said = _said((), (*spoken_of, *history), feedback)
    instruction = {"description": description, "asked_as": asked_as}
    messages = _messages(
        task, "retry.md", examples, **instruction, failures=failures, shown=shown, **said
    )
    return Prompt(generation, messages, (), tuple(history), tuple(feedback))


def repair_prompt(prompt: Prompt, failed: Outcome) -> Prompt:
    """Return the prompt that sends an answer to `prompt` back, with the reason why it failed before
    training."""
    answer = failed.candidate.completion
    said = (
        (Message("assistant", answer.text),) if answer.text.strip() else ()
    )  # servers refuse empty messages
    reason = Message("user", render("repair.md", failure=failed.failure))
    return replace(prompt, messages=(*prompt.messages, *said, reason), repair=answer.repair + 1)


def render(template: str, **values: object) -> str:
    """Return the template of that name in `prompts/`, filled in. An undefined name in it is an
    error."""
    return _templates().get_template(template).render(**values).strip() + "\n"


def number(value: float) -> str:
    """Return a number with four significant digits, as models and people like to read it."""
    return f"{value:.4g}"


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
    """Return code in a Markdown fence that nothing inside it can close."""
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
    environment.filters["number"] = number
    environment.globals.update(
        number=number,
        percent=lambda share: f"{share:.0%}",
        fenced=fenced,
        describe=describe,
        stage_words=_STAGE_WORDS,
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
    """What was said of one candidate, as the prompt shows it."""

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


def _said(
    parents: Sequence[Outcome], history: Sequence[Outcome], feedback: Sequence[Feedback]
) -> dict[str, object]:
    """Return what `feedback.md` shows: the parents' words, the worst and who else the last words
    are on, the past."""
    outcomes = {outcome.candidate.name: outcome for outcome in (*history, *parents)}
    words = {
        name: [said.words[name] for said in feedback if name in said.words] for name in outcomes
    }
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
        "choices": [_choice(said, outcomes) for said in feedback if said.ranking],
        "earlier": [
            _Remark(outcomes[name], words[name])
            for name in outcomes
            if words[name] and name not in now
        ],
    }


def _choice(said: Feedback, outcomes: Mapping[str, Outcome]) -> _Choice:
    beside = [
        n for n, o in outcomes.items() if o.evaluation and o.candidate.generation == said.generation
    ]
    ranked = [outcomes[name] for name in said.ranking]
    return _Choice(said.generation, ranked, [name for name in beside if name not in said.ranking])


def _last_failures(history: Sequence[Outcome]) -> list[Outcome]:
    """Return the failures of the latest generation in `history`, one for each different message."""
    failures = [o for o in history if o.failure and o.candidate.generation == _latest(history)]
    return list({outcome.failure: outcome for outcome in reversed(failures)}.values())[::-1]


def _latest(history: Sequence[Outcome]) -> int:
    return max((outcome.candidate.generation for outcome in history), default=0)


def _source(function: Callable[..., object]) -> str:
    """Return a method's code without its docstring; nothing when it has no source file."""
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
    """Return the numbers at module level that a method's code names."""
    function = inspect.unwrap(function)
    code, known = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    values = {name: known.get(name) for name in (code.co_names if code else ())}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
