"""Outcomes for prompts, and a search for what a prompt must not contain."""

from __future__ import annotations

import ast
import inspect
import textwrap

from eureka_agent.records import (
    Candidate,
    Completion,
    Evaluation,
    Failure,
    Outcome,
    Prompt,
    RewardSource,
    Stage,
)
from eureka_agent.tasks.task import Task

CODE = (
    'def compute_reward(mass_speed):\n    """```"""\n    return -mass_speed, {"speed":'
    " -mass_speed}\n"
)


def candidate(generation: int, index: int, code: str | None = CODE) -> Candidate:
    reward = RewardSource(code, ("mass_speed",)) if code else None
    return Candidate(generation, Completion(index, "…", "scripted"), reward)


def worked(generation: int, index: int, fitness: float = -1.0) -> Outcome:
    evaluation = Evaluation(fitness, fitness - 0.1, fitness + 0.1, 8, 50.0)
    return Outcome(
        candidate(generation, index),
        evaluation=evaluation,
        reflection=f"Reflection with fitness {fitness}.",
    )


def failed(
    generation: int, index: int, stage: Stage, message: str, code: str | None = CODE
) -> Outcome:
    return Outcome(candidate(generation, index, code), failure=Failure(stage, message))


def user(prompt: Prompt) -> str:
    assert [message.role for message in prompt.messages] == ["system", "user"]
    return prompt.messages[1].content


def squeezed(text: str) -> str:
    return "".join(text.replace('"', "'").split())


def statements(source: str) -> set[str]:
    """Return the lines of functions' bodies that hold code, without docstrings and spaces."""
    source = textwrap.dedent(source)
    lines = source.splitlines()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert functions
    found: set[str] = set()
    for function in functions:
        for node in function.body[1:] if ast.get_docstring(function) else function.body:
            found |= {squeezed(line) for line in lines[node.lineno - 1 : node.end_lineno]}
    return {line for line in found if len(line) > 16}


def leaked(task: Task, prompt: Prompt) -> set[str]:
    """Return lines of the fitness code or the human reward that a prompt contains."""
    secret = statements(task.human_reward) if task.has_human_source else set()
    for name in ("fitness", "sparse_reward", "measures"):
        method = getattr(type(task), name)
        if method.__qualname__.split(".")[0] not in ("Task", "MujocoTask"):
            secret |= statements(inspect.getsource(method))
    text = squeezed("".join(message.content for message in prompt.messages))
    return {line for line in secret if line in text}
