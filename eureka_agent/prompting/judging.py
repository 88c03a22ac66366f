"""What judges ask models: to write a success measure, and to score what an image shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eureka_agent.prompting.prompt import code_values, render
from eureka_agent.records import INITIAL, ImageMessage, Message, Prompt
from eureka_agent.tasks.task import Task


@dataclass(frozen=True)
class ShownEpisode:
    """An episode as a judge's model sees it."""

    image: bytes
    """A JPEG file with the moments in order, each with its time."""
    times: Sequence[str]
    """The time of each moment in seconds, as the image shows it."""
    length_s: float
    """How long the episode lasted."""
    columns: Sequence[str]
    """Names and units of numbers of the state."""
    rows: Sequence[Sequence[str]]
    """Per moment: its time, then the number of each column."""


def measure_prompt(task: Task, instruction: str) -> Prompt:
    """Return the prompt that asks for a success measure.

    Args:
        task: The task, with the episodes of the run. Its fitness is not part of the prompt.
        instruction: What the robot should do.
    """
    text = render(
        "measure.md",
        task=task,
        description=instruction,
        asked_as="",
        has_fitness=False,
        **code_values(task),
    )
    return Prompt(INITIAL, (Message("user", text),), asks_for="the success measure")


def measure_repair_prompt(prompt: Prompt, answer: str, reason: str) -> Prompt:
    """Return the prompt that sends a measure back with the reason why it cannot be used."""
    return _sent_back(prompt, answer, render("measure_again.md", reason=reason))


def score_prompt(
    task: Task, instruction: str, episode: ShownEpisode, *, generation: int, asks_for: str
) -> Prompt:
    """Return the prompt that asks for the score of an episode.

    Nothing that a candidate wrote is part of it.

    Args:
        task: The task; its notes explain the robot.
        instruction: What the robot should do.
        episode: What is shown.
        generation: The generation that is judged.
        asks_for: What is asked for, in messages about requests.
    """
    text = render(
        "judge.md",
        task=task,
        description=instruction,
        times=episode.times,
        length_s=episode.length_s,
        columns=episode.columns,
        rows=episode.rows,
    )
    message = ImageMessage("user", text, episode.image)
    return Prompt(generation, (message,), asks_for=asks_for)


def score_repair_prompt(prompt: Prompt, answer: str, reason: str) -> Prompt:
    """Return the prompt that asks for a score again, with the reason why an answer gave none."""
    return _sent_back(prompt, answer, render("judge_again.md", reason=reason))


def sight_prompt(image: bytes) -> Prompt:
    """Return the prompt that asks for the colour of a picture, a JPEG file."""
    message = ImageMessage("user", render("judge_test.md"), image)
    return Prompt(INITIAL, (message,), asks_for="a test picture")


def _sent_back(prompt: Prompt, answer: str, reason: str) -> Prompt:
    # Servers refuse empty messages.
    answered = (Message("assistant", answer),) if answer.strip() else ()
    messages = (*prompt.messages, *answered, Message("user", reason))
    return replace(prompt, messages=messages, repair=prompt.repair + 1)
