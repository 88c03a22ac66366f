from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console

from eureka_agent.records import Failure, Outcome
from eureka_agent.report import PlainLog
from eureka_agent.search.events import (
    BaselinesMeasured,
    Event,
    GenerationStarted,
    RequestRetried,
    RequestsAdapted,
    TrackingFailed,
    TrainingProgress,
    TrainingStarted,
)
from tests.support import run_events as runs


class Clock:
    """Advances by `step` seconds with every event."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def log(events: Iterable[Event], *, step: float = 5.0, console: Console | None = None) -> list[str]:
    paper = io.StringIO()
    console = console or Console(file=paper)
    clock = Clock()
    with PlainLog(console, clock) as listener:
        for event in events:
            listener(event)
            clock.now += step
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def whole_run(samples: int = 4, **settings: object) -> list[Event]:
    answers = [runs.completion(i, 0.01, "gpt-5") for i in range(samples)]
    broken = Failure("training", "The reward became NaN\nin 3 environments.")
    first: list[Outcome] = [
        runs.outcome(0, answers[0], runs.REFUSED),
        runs.outcome(0, answers[1], broken),
    ]
    first += [
        runs.outcome(0, answer, runs.evaluation(5.0 + answer.index)) for answer in answers[2:]
    ]
    second = [runs.outcome(1, answer, runs.evaluation(1.0 + answer.index)) for answer in answers]
    best = first[-1]
    return [
        runs.run_started(runs.config(model="gpt-5", samples=samples, **settings)),
        *runs.baseline_training(),
        *runs.generation(0, first, best),
        *runs.generation(1, second, best),
        runs.run_finished([*first, *second], best),
    ]


def test_each_retry_is_a_line_and_its_reason_is_printed_once() -> None:
    overloaded = "http://x/v1 keeps failing with status 503: try again later (\x1b[31moverloaded)."
    events: list[Event] = [
        runs.run_started(runs.config(model="gpt-5")),
        GenerationStarted(0),
        RequestRetried("g0c0", overloaded, 2, 7, 0.25),
        RequestRetried("g0c1", overloaded, 2, 7, 12.3),  # the same as for g0c0
        RequestRetried("g0c1", overloaded, 3, 7, 12.3),
        RequestRetried("g0c0", "http://x/v1 broke the connection off.", 3, 3, 1.0),
        RequestsAdapted("'gpt-5' at http://x/v1 takes no system message."),
    ]
    lines = [line.split("  ", 1)[-1] for line in log(events)][-4:]
    assert lines == [
        (
            "g0c0 is requested again in 0.2 s (try 2 of 7): http://x/v1 keeps failing with status 503:"
            " try again later (\\x1b[31moverloaded)."
        ),
        "g0c1 is requested again in 12 s (try 3 of 7): the same reason.",
        "g0c0 is requested again in 1.0 s (try 3 of 3): http://x/v1 broke the connection off.",
        "'gpt-5' at http://x/v1 takes no system message.",
    ]


def test_a_run_line_by_line() -> None:
    lines = log(whole_run())
    text = "\n".join(line.split("  ", 1)[-1] for line in lines)
    assert lines[0] == "0:00:00  toy: bring the mass to the mark and hold it there"
    for sentence in (
        "The model gpt-5 at api.openai.com proposes the rewards.",
        (
            "2 generations of 4 rewards; each reward trains in 4 environments for 1.5 M environment steps"
            " (normal)."
        ),
        "Training human reward, sparse reward.",
        "Human reward: fitness 14.00 (13.50 to 14.50) m over 64 episodes, rotations 1.10.",
        "Generation g0 (1 of 2): asking for 4 rewards.",
        "g0c3 proposed.",
        (
            "g0c0 rejected, not allowed: compute_reward asks for 'mass_velocity', which this task"
            " does not have."
        ),
        "Training g0c1, g0c2, g0c3.",
        "g0c1 failed in training: The reward became NaN in 3 environments.",
        "g0c2: fitness 7.00 (6.50 to 7.50) m over 64 episodes.",
        "Generation g0 (1 of 2): 2 trained, 2 failed; best g0c3, fitness 8.00 (7.50 to 8.50) m over 64 episodes.",
        "Generation g1 (2 of 2): 4 trained; best g1c3, fitness 4.00 (3.50 to 4.50) m over 64 episodes.",
        "Still the best: g0c3, fitness 8.00 (7.50 to 8.50) m over 64 episodes.",
        "Best reward: g0c3, fitness 8.00 (7.50 to 8.50) m over 64 episodes.",
        "Took 12 min 34 s and 12 M environment steps; cost $0.08.",
    ):
        assert text.count(sentence) == 1, sentence
    assert sum("g0c0" in line for line in lines) == 2  # proposed, rejected: not repeated at the end


def test_never_an_escape_code_even_where_colours_are_forced() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=80)
    text = "\n".join(log(whole_run(), console=console))
    assert "\x1b" not in text
    assert "\r" not in text


def test_a_log_continues_after_a_character_that_it_cannot_encode() -> None:
    class Latin(io.StringIO):
        encoding = "ascii"

    failure = Failure("check", "unknown name 'größe'")
    events = runs.generation(0, [runs.outcome(0, runs.completion(0), failure)], None)
    lines = log([runs.run_started(runs.config(samples=1)), *events], console=Console(file=Latin()))
    assert any("unknown name 'gr??e'" in line for line in lines)


def test_failed_tracker_is_one_line() -> None:
    lines = log([TrackingFailed("mlflow", "no route to\nhost")])
    assert lines == [
        "0:00:00  --log mlflow failed, and the run goes on without it: no route to host"
    ]


def test_progress_is_printed_every_tenth_and_at_most_every_ten_seconds() -> None:
    def training(step: float, points: int) -> list[str]:
        shares = [(i + 1) / points for i in range(points)]
        trained = [TrainingProgress(("a",), runs.progress(1, share)) for share in shares]
        return [
            line
            for line in log([TrainingStarted((), ("a",)), *trained], step=step)
            if "% trained" in line
        ]

    assert len(training(step=0.1, points=20)) == 1  # over after 2 s: only the end
    assert len(training(step=1.0, points=100)) == 10  # 10 s and a tenth coincide
    assert len(training(step=4.0, points=10)) == 4  # 12 s, 24 s, 36 s, and the end
    assert len(training(step=10.0, points=200)) == 34  # a tenth takes 200 s: once a minute


def test_progress_has_time_left_stopped_members_and_missing_episodes() -> None:
    half = runs.progress(2, 0.5, fitness=runs.NAN, alive=[True, False])
    lines = log([TrainingStarted((), ("a", "b")), TrainingProgress(("a", "b"), half)], step=20.0)
    # 2 x 750 k steps are left at 50 k/s
    expected = (
        "50 % trained (750 k environment steps each), 50 k steps/s, about 15 s left, no episode"
        " ended yet, 1 stopped."
    )
    assert lines[-1] == f"0:00:20  {expected}"


def test_the_best_training_fitness_is_that_of_the_whole_training_so_far() -> None:
    points = [
        runs.progress(2, 0.2 * (i + 1), fitness=both)
        for i, both in enumerate([(3.0, 9.0), (4.0, 5.0)])
    ]
    training: list[Event] = [
        TrainingStarted((), ("a", "b")),
        *(TrainingProgress(("a", "b"), point) for point in points),
    ]
    another: list[Event] = [
        TrainingStarted((), ("c", "d")),
        TrainingProgress(("c", "d"), points[1]),
    ]
    lines = [line for line in log([*training, *another], step=20.0) if "% trained" in line]
    assert ["9.00" in line.split("best training fitness so far")[1] for line in lines] == [
        True,
        True,
        False,
    ]
    assert "best training fitness so far 5.00." in lines[2]


def test_the_measured_length_of_a_run_is_printed_at_its_start() -> None:
    paper = io.StringIO()
    with PlainLog(Console(file=paper), measure=lambda run: 10_000.0) as listener:
        listener(runs.run_started(runs.config()))
    # (2 x 4 rewards + human + sparse) x 1.5 M steps at 10 k/s are 1500 s
    says = (
        "The trainings take about 25 min on this machine, at the 10 k environment steps/s just"
        " measured."
    )
    assert paper.getvalue().splitlines()[-1].endswith(says)
    with PlainLog(Console(file=paper), measure=lambda run: None) as listener:
        listener(runs.run_started(runs.config(), resumed=True))
    assert paper.getvalue().count("The trainings take") == 1


def test_a_run_in_which_every_candidate_fails_says_why() -> None:
    failed = [runs.outcome(0, runs.completion(i), runs.REFUSED) for i in range(16)]
    lines = log(
        [
            runs.run_started(runs.config(samples=16, generations=1)),
            *runs.generation(0, failed, None),
            runs.run_finished(failed, None),
        ]
    )
    text = "\n".join(lines)
    assert "Generation g0 (1 of 1): none of its 16 rewards worked." in text
    assert "No reward worked: all 16 candidates failed." in text
    assert "16 x not allowed: compute_reward asks for" in text
    assert "Human-normalised" not in text


def test_a_reward_that_had_too_little_memory_says_what_to_lower() -> None:
    words = "its process was killed, most likely because the machine ran out of memory"
    failed = [runs.outcome(0, runs.completion(0), Failure("training", words))]
    lines = log([runs.run_started(runs.config(samples=1)), *runs.generation(0, failed, None)])
    assert any(words in line and "smaller --num-envs" in line for line in lines)
    other = [runs.outcome(0, runs.completion(0), Failure("training", "it raised ValueError"))]
    lines = log([runs.run_started(runs.config(samples=1)), *runs.generation(0, other, None)])
    assert not any("--num-envs" in line for line in lines)


def test_a_generation_that_is_asked_for_again_says_so() -> None:
    failed = [runs.outcome(0, runs.completion(i), runs.REFUSED) for i in range(4)]
    events = [runs.run_started(runs.config()), *runs.generation(0, failed, None, attempt=1)]
    assert any(
        "asking for 4 rewards again, because all before failed." in line for line in log(events)
    )


def test_with_a_person_as_judge_no_fitness_is_shown() -> None:
    text = "\n".join(
        log([e for e in whole_run(env="toy", task="wave") if not isinstance(e, BaselinesMeasured)])
    )
    log_part = text[: text.index("The instruction has no fitness of its own; rankings decided.")]
    assert "toy: wave" in log_part
    assert "Chosen: g0c3, episodes of 250 steps." in log_part
    assert "fitness" not in log_part
