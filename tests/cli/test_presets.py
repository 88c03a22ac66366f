"""The help of `synthesize`, and the options that set others."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from eureka_agent.cli.main import synthesize_main
from eureka_agent.config.synthesis import GROUP_OF


@pytest.fixture(scope="module")
def help_text() -> str:
    command = [sys.executable, "-c", "from eureka_agent.cli.main import *; synthesize_main()"]
    environment = os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*command, "--help"], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def test_help_fits_in_130_lines_and_has_a_section_for_each_group(
    help_text: str,
) -> None:
    text = help_text
    assert len(text.splitlines()) <= 130
    assert max(map(len, text.splitlines())) <= 100
    sections = re.findall(r"─ (\w+) options ─", text)
    assert sections == ["task", "search", "models", "training", "screening", "run", "page"]


def test_help_lists_every_setting_but_those_of_python(help_text: str) -> None:
    options = set(re.findall(r"│ --(?:no-)?([\w-]+)", help_text))
    python_only = {"attempts", "threads", "race"}
    settings = {name.replace("_", "-") for name in GROUP_OF.keys() - python_only}
    short = {
        "feedback-timeout-min": "feedback-timeout"
    }  # both names work, the help starts with one
    settings = {short.get(name, name) for name in settings}
    assert options == settings | {"protocol", "quick"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--protocol", "matched", "--samples", "0"], "--samples must be at least 1, got 0"),
        (["--samples", "0", "--protocol", "matched"], "--samples must be at least 1, got 0"),
        (["--protocol", "paper"], "There is no protocol 'paper'"),
    ],
)
def test_what_is_typed_overrides_a_protocol(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert synthesize_main(["--task", "cartpole", *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
