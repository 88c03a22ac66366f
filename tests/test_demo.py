"""`make demo`: the command that newcomers run first."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from eureka_agent.cli import main as cli
from eureka_agent.config import SynthesisConfig

ROOT = Path(__file__).parents[1]


def demo_arguments() -> list[str]:
    """Return the arguments of the command in the Makefile."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    recipe = lines[next(i for i, line in enumerate(lines) if line.startswith("demo:")) + 1]
    program, *arguments = shlex.split(recipe)
    assert program == "$(BIN)/synthesize"
    return arguments


def test_the_demo_searches_and_compares_over_several_seeds_without_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[SynthesisConfig] = []
    monkeypatch.setattr(cli, "synthesize", asked.append)
    assert cli.synthesize_main(demo_arguments()) == 0
    (config,) = asked
    assert config.models.weights == {}  # the grammar
    assert config.training.device == "cpu"
    assert config.search.generations >= 3
    assert config.search.final_seeds >= 3
    assert config.task.has_fitness


def test_the_readme_names_the_demos_command() -> None:
    command = shlex.join(["synthesize", *demo_arguments()])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in " ".join(readme.split())
