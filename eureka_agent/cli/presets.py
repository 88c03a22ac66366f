"""`--protocol` and `--quick`: options that set others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from eureka_agent.config import ProtocolName
from eureka_agent.config.protocols import settings_of


@dataclass(frozen=True)
class Presets:
    """Options that set others; what is written out overrides them."""

    protocol: ProtocolName | None = None
    """Settings of a comparison; see docs/search.md."""
    quick: bool = False
    """Short for --budget quick."""


def written_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the presets written out first, so that later options override them.

    Args:
        arguments: What the user typed after the command's name.

    Returns:
        The options of the presets, then `arguments`, which still hold the presets themselves.

    Raises:
        UsageError: There is no such protocol.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--protocol", nargs="?")
    parser.add_argument("--quick", action="store_true")
    given, _ = parser.parse_known_args(list(arguments))
    settings = settings_of(given.protocol)
    if given.quick:
        settings = {**settings, "budget": "quick"}
    options: list[str] = []
    for name, value in settings.items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    return [*options, *arguments]
