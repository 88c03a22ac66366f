from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rich.console import Console, RenderableType

from eureka_agent.cli.doctor import DoctorFinding
from eureka_agent.records import INITIAL, Baseline, Failure, SeededResult
from eureka_agent.report import comparison_table, doctor_table, final_table, put, tasks_table
from eureka_agent.report.comparison import Comparison
from eureka_agent.report.formatting import approximate
from eureka_agent.training.budgets import budgets_of
from tests.support import run_events as runs


def read(renderable: RenderableType, width: int = 80) -> list[str]:
    paper = io.StringIO()
    console = Console(file=paper, width=width, force_terminal=True, color_system=None)
    put(console, renderable)
    lines = [line.rstrip() for line in paper.getvalue().splitlines()]
    assert max(len(line) for line in lines if "/" not in line) <= width  # a path is never folded
    return lines


def row(lines: list[str], start: str) -> list[str]:
    (line,) = [line for line in lines if line.startswith(start)]
    return line.removeprefix(start).split()


def test_the_final_table_at_80_columns() -> None:
    results = [runs.evaluation(5.0 + i, rotations=0.25 * i, dropped=0.5) for i in range(3)]
    first = [runs.outcome(0, runs.completion(i), results[i]) for i in range(3)]
    second = [runs.outcome(1, runs.completion(i), runs.REFUSED) for i in range(3)]
    lines = read(
        final_table(runs.run_started(runs.config()), runs.run_finished([*first, *second], first[2]))
    )
    assert lines[0] == "Fitness in m; -0.1 counts as solved."
    assert row(lines, "best of g0: g0c2") == [
        "7.00",
        "6.50",
        "to",
        "7.50",
        "250",
        "0.50",
        "0.500",
        "3",
        "of",
        "3",
    ]
    assert row(lines, "best of g1: none") == ["-", "-", "-", "-", "-", "0", "of", "3"]
    best = "7.00 6.50 to 7.50 250 0.50 0.500"
    assert row(lines, "best of all: g0c2") == best.split()
    human = "14.00 13.50 to 14.50 250 1.10 -"
    assert row(lines, "human reward") == human.split()
    assert row(lines, "random actions") == "1.00 0.50 to 1.50 250 0.00 -".split()
    assert "Human-normalised score: 0.93, which is (best - sparse) / |human - sparse|." in lines


def test_the_final_table_compares_the_best_with_the_initial_reward() -> None:
    start = runs.outcome(INITIAL, runs.completion(0, proposer="given"), runs.evaluation(5.0))
    better = runs.outcome(0, runs.completion(0), runs.evaluation(7.5))
    lines = read(
        final_table(runs.run_started(runs.config()), runs.run_finished([start, better], better)),
        150,
    )
    assert row(lines, "start")[0] == "5.00"
    assert not any("g-1" in line for line in lines)
    says = (
        "g0c0 beats the reward that the search started from by 2.50 m (7.50 against 5.00, one"
        " training each, and g0c0 "
    )
    assert f"{says}is the best of many)." in lines
    lines = read(
        final_table(runs.run_started(runs.config()), runs.run_finished([start, better], start)), 150
    )
    assert "The search found nothing better than the reward that it started from." in lines


def test_nan_is_shown_and_is_never_the_best() -> None:
    outcomes = [runs.outcome(0, runs.completion(0), runs.evaluation(runs.NAN))]
    lines = read(final_table(runs.run_started(runs.config()), runs.run_finished(outcomes, None)))
    assert row(lines, "best of g0: none")[-3:] == ["1", "of", "1"]
    assert not any("No reward worked" in line for line in lines)


def test_the_final_table_names_the_files_that_exist(tmp_path: Path) -> None:
    best = runs.outcome(0, runs.completion(0), runs.evaluation(1.0))
    (tmp_path / "best_reward.py").write_text("")
    (tmp_path / "tensorboard").mkdir()
    lines = read(
        final_table(
            runs.run_started(runs.config(), tmp_path), runs.run_finished([best], best, tmp_path)
        )
    )
    after = lines[next(i for i, line in enumerate(lines) if line.startswith("Written to")) :]
    assert after[0] == f"Written to {tmp_path}"
    assert any(line.startswith("best_reward.py") for line in after)
    assert any(line.startswith("tensorboard") for line in after)
    assert not any("policy.safetensors" in line for line in after)


def test_many_different_failures_are_cut_short() -> None:
    messages = [f"unknown name 'x{i}'" for i in range(7)]
    failed = [
        runs.outcome(0, runs.completion(i), Failure("check", text))
        for i, text in enumerate(messages)
    ]
    lines = read(final_table(runs.run_started(runs.config()), runs.run_finished(failed, None)))
    assert "No reward worked. 7 candidates failed:" in lines
    assert "  1 x not allowed: unknown name 'x4'" in lines
    assert "  and 2 other reasons" in lines


def test_a_reward_file_is_compared_with_the_baselines() -> None:
    comparison = Comparison(
        Path("some/[mine].py"), 7, SeededResult(evaluation=runs.evaluation(9.0)), runs.baselines()
    )
    lines = read(comparison_table(comparison, runs.TASK, "quick"))
    assert row(lines, "[mine].py")[0] == "9.00"
    assert row(lines, "sparse reward")[0] == "4.00"
    notes = " ".join(lines[-3:])
    assert (
        "One training each, with seed 7: the 95 % intervals are over the 64 episodes of that one"
        " training" in notes
    )
    assert "nothing was compared" not in notes
    assert "hardly better" not in notes


def references(human: float, sparse: float, random: float) -> tuple[Baseline, ...]:
    figures: dict[Literal["human", "sparse", "random"], float] = {
        "human": human,
        "sparse": sparse,
        "random": random,
    }
    return tuple(
        Baseline(name, evaluation=runs.evaluation(value, 0.1)) for name, value in figures.items()
    )


def test_a_human_reward_like_random_actions_means_too_small_a_budget() -> None:
    comparison = Comparison(
        Path("mine.py"),
        0,
        SeededResult(evaluation=runs.evaluation(9.0)),
        references(1.0, 4.0, 1.05),
    )
    text = " ".join(read(comparison_table(comparison, runs.TASK, "quick")))
    assert (
        "At this budget the human reward is hardly better than random actions (1.00 against 1.05"
        " m), so rewards cannot be compared: train longer, --budget normal." in text
    )


def test_equal_rewards_mean_that_nothing_was_compared() -> None:
    comparison = Comparison(
        Path("mine.py"),
        0,
        SeededResult(evaluation=runs.evaluation(9.0, 0.0)),
        references(9.0, 8.95, 1.0),
    )
    text = " ".join(read(comparison_table(comparison, runs.TASK, "quick")))
    assert (
        "All rewards, including the sparse one, give about the same fitness, so nothing was compared."
        in text
    )
    assert "All solve the task: a smaller budget may separate them." in text
    best = runs.outcome(0, runs.completion(0), runs.evaluation(9.0, 0.0))
    finished = replace(
        runs.run_finished([best], best), baselines=references(9.0, 8.95, 1.0), human_normalised=None
    )
    text = " ".join(read(final_table(runs.run_started(runs.config()), finished)))
    assert (
        "No human-normalised score (not comparable): the human and the sparse reward are alike here."
        in text
    )
    assert "so nothing was compared" in text


def test_the_tasks_table_has_the_fitness_that_solves_them() -> None:
    lines = read(tasks_table([runs.TASK], {}), 120)
    assert row(lines, "toy") == "bring the mass to the mark and hold it there m -0.1 - -".split()


def test_the_tasks_table_has_the_length_of_a_run() -> None:
    lines = read(tasks_table([runs.TASK], {"toy": 1000.0}), 120)
    budget = budgets_of(runs.TASK)["quick"]
    # 3 generations of 8, and the human and the sparse reward
    seconds = 26 * max(budget.environment_steps, budget.num_envs * budget.horizon) / 1000.0
    assert f"  -0.1  {approximate(seconds).removeprefix('about ')}  " in "\n".join(lines)


def test_the_doctor_table_says_what_is_missing() -> None:
    lines = read(
        doctor_table(
            [
                DoctorFinding("seccomp", True, "works"),
                DoctorFinding("landlock", False, "update the kernel"),
            ]
        )
    )
    assert row(lines, "seccomp") == ["ok", "works"]
    assert row(lines, "landlock") == ["missing", "update", "the", "kernel"]
