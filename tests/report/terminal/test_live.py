from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from eureka_agent.records import Failure, Outcome
from eureka_agent.report import LiveDisplay, PlainLog, make_listener
from eureka_agent.search.events import (
    GenerationStarted,
    RequestRetried,
    RequestsAdapted,
    TrackingFailed,
    TrainingProgress,
    TrainingStarted,
)
from tests.support import run_events as runs

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, force_interactive=True, width=width, height=height
    )


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def frame(display: LiveDisplay, width: int = 80) -> list[str]:
    """Return the lines of the region."""
    paper = Console(file=io.StringIO(), width=width, color_system=None)
    paper.print(display.render())
    return written(paper).splitlines()


def good(index: int, count: int) -> list[Outcome]:
    return [
        runs.outcome(index, runs.completion(i), runs.evaluation(float(i))) for i in range(count)
    ]


def test_a_retry_shows_in_its_row_and_each_reason_is_printed_once() -> None:
    console = terminal(120)
    with LiveDisplay(console) as display:
        display(runs.run_started(runs.config(model="gpt-5")))
        display(GenerationStarted(0))
        display(RequestRetried("g0c0", "The server keeps failing (overloaded).", 2, 7, 0.5))
        display(RequestRetried("g0c1", "The server keeps failing (overloaded).", 3, 7, 1.5))
        display(RequestsAdapted("One request runs at a time from now on."))
        rows = frame(display)
        assert any("g0c0  waiting     for the model, try 2 of 7" in row for row in rows)
        assert any("g0c1  waiting     for the model, try 3 of 7" in row for row in rows)
        assert sum(row.rstrip().endswith("for the model") for row in rows) == 2
    text = written(console)
    assert (
        text.count(
            "g0c0 is requested again in 0.5 s (try 2 of 7): The server keeps failing (overloaded)."
        )
        == 1
    )
    assert text.count("keeps failing") == 1
    assert text.count("One request runs at a time from now on.") == 1


def test_failed_tracker_is_a_line_that_does_not_bring_the_region_back() -> None:
    console = terminal(120)
    with LiveDisplay(console) as display:
        display(runs.run_started(runs.config()))
        display(runs.run_finished([], None))
        hidden = written(console).count(HIDE_CURSOR)
        display(TrackingFailed("wandb", "no \x1b[2J route"))
        assert written(console).count(HIDE_CURSOR) == hidden
    assert "--log wandb failed, and the run goes on without it: no \\x1b[2J route" in written(
        console
    )


def test_a_row_for_each_candidate_with_bar_steps_and_fitness() -> None:
    with LiveDisplay(terminal()) as display:
        display(runs.run_started(runs.config(model="gpt-5")))
        outcomes = [
            runs.outcome(0, runs.completion(0, None, "gpt-5"), runs.REFUSED),
            *good(0, 4)[1:],
        ]
        events = runs.generation(0, outcomes, outcomes[3])
        display(next(events))
        assert sum("waiting     for the model" in line for line in frame(display)) == 4
        for event in events:
            display(event)
            if (
                isinstance(event, TrainingProgress)
                and 0.4 < event.progress.environment_steps / runs.STEPS < 0.6
            ):
                break
        text = "\n".join(frame(display))
        assert "Generation   g0 (1 of 2)" in text
        assert "g0c0  rejected    compute_reward asks for 'mass_velocity'" in text
        assert (
            f"g0c1  training    {'━' * 10}{'─' * 10}  fitness 12.30  750 k of 1.5 M steps" in text
        )
        # 3 x 750 k steps are left at 50 k/s
        assert "left, this training about 45 s" in text
        assert "50 k environment steps/s" in text
        assert "price unknown" in text
        for event in events:
            display(event)
        text = "\n".join(frame(display))
        assert "Best so far  g0c3, 3.00 (2.50 to 3.50) m" in text
        assert "g0c2  done        fitness 2.00 (1.50 to 2.50) m over 64 episodes" in text


def test_fitness_fits_into_80_columns_with_the_longest_name_and_counts() -> None:
    with LiveDisplay(terminal(80)) as display:
        display(runs.run_started(runs.config()))
        display(TrainingStarted((), runs.BASELINES))
        huge = replace(
            runs.progress(2, 1.0, fitness=-1234.5),
            environment_steps=123_456_789,
            total_steps=123_456_789,
        )
        display(TrainingProgress(runs.BASELINES, huge))
        lines = frame(display, 80)
    assert any(
        line.startswith("human reward   evaluating") and "fitness -1,234" in line for line in lines
    )


def test_how_long_a_run_takes_is_shown_before_anything_trains() -> None:
    console = terminal(80)
    with LiveDisplay(console, measure=lambda run: 10_000.0) as display:
        display(runs.run_started(runs.config()))
        assert "about 25 min left" in "\n".join(frame(display))
    assert "The trainings take about 25 min on this machine" in written(console)


def test_the_grammar_has_no_cost_line() -> None:
    with LiveDisplay(terminal()) as display:
        display(runs.run_started(runs.config()))
        for event in runs.generation(0, good(0, 4), None):
            display(event)
            assert not any("Cost" in line or "$" in line for line in frame(display))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 12), (200, 50)])
def test_sixteen_candidates_fit_into_the_terminal_at_every_moment(width: int, height: int) -> None:
    with LiveDisplay(terminal(width, height)) as display:
        display(runs.run_started(runs.config(samples=16)))
        for event in [*runs.baseline_training(), *runs.generation(0, good(0, 16), None)]:
            display(event)
            lines = frame(display, width)
            assert len(lines) < height
            assert max(map(len, lines)) <= width
            assert not any(
                line.startswith(" ") for line in lines if line.strip()
            )  # no name is missing
        assert ("and 11 more" in lines[-1]) == (height == 12)


def test_messages_of_candidates_cannot_steer_the_terminal() -> None:
    console = terminal()
    failure = Failure("contract", "bad\x1b[2J\r[bold]name\nnext")
    with LiveDisplay(console) as display:
        display(runs.run_started(runs.config(samples=1)))
        for event in runs.generation(0, [runs.outcome(0, runs.completion(0), failure)], None):
            display(event)
        assert "bad\\x1b[2J [bold]name next" in "\n".join(frame(display))
    assert "\x1b[2J" not in written(console)


def test_the_end_of_a_run_leaves_the_table_and_not_the_region() -> None:
    console = terminal()
    with LiveDisplay(console) as display:
        display(runs.run_started(runs.config(generations=1)))
        for event in [*runs.baseline_training(), *runs.generation(0, good(0, 4), good(0, 4)[3])]:
            display(event)
        display(runs.run_finished(good(0, 4), good(0, 4)[3]))
    text = written(console)
    assert (
        "Human reward: fitness 14.00 (13.50 to 14.50) m over 64 episodes, rotations 1.10." in text
    )
    finished = "4 trained; best g0c3, fitness 3.00 (2.50 to 3.50) m over 64 episodes."
    assert f"Generation g0 (1 of 1): {finished}" in " ".join(text.split())
    assert "Human-normalised score: 0.93" in text
    assert text.rfind("Best so far") < text.find("Human-normalised score")
    assert text.rfind(SHOW_CURSOR) > text.rfind(HIDE_CURSOR)


def test_control_c_restores_the_terminal_and_keeps_the_last_state() -> None:
    console = terminal()
    with pytest.raises(KeyboardInterrupt), LiveDisplay(console) as display:  # noqa: PT012  the state before it counts
        display(runs.run_started(runs.config()))
        display(GenerationStarted(0))
        raise KeyboardInterrupt
    text = written(console)
    assert text.count(HIDE_CURSOR) == text.count(SHOW_CURSOR) == 1
    assert text.endswith(SHOW_CURSOR)
    assert "Best so far" in text


def test_with_a_person_as_judge_the_region_shows_only_during_training() -> None:
    console = terminal()
    with LiveDisplay(console) as display:
        display(runs.run_started(runs.config(env="toy", task="wave", feedback="cli")))
        for event in runs.generation(0, good(0, 4), good(0, 4)[1]):
            display(event)
            text = written(console)
            shown = text.count(HIDE_CURSOR) > text.count(SHOW_CURSOR)
            training = isinstance(event, TrainingStarted) or (
                isinstance(event, TrainingProgress)
                and event.progress.environment_steps < runs.STEPS
            )
            assert shown == training
    text = written(console)
    assert "Chosen: g0c1, episodes of 250 steps." in text
    assert "fitness" not in text


def test_a_training_without_a_run_is_shown_too() -> None:
    names = ("mine.py", *runs.BASELINES)
    with LiveDisplay(terminal()) as display:
        display(TrainingStarted((), names))
        display(TrainingProgress(names, runs.progress(3, 0.5)))
        assert any(line.startswith("mine.py        training    ━") for line in frame(display))


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class AsciiTty(Tty):
    encoding = "ascii"


def test_the_console_decides_the_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_listener(Console(file=Tty())), LiveDisplay)
    assert isinstance(make_listener(Console(file=AsciiTty())), PlainLog)
    assert isinstance(make_listener(Console(file=io.StringIO())), PlainLog)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_listener(Console(file=io.StringIO())), PlainLog)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_listener(Console(file=Tty())), PlainLog)
