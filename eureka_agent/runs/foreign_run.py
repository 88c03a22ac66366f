"""Protection against run folders from elsewhere: some stored settings must be given again.

A stored address would receive the user's key, a stored path would be read and sent to a model, and
a stored `sandbox` below `full` would run code with fewer layers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.config import SandboxLevel, SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.text import one_line
from eureka_agent.utils.addresses import is_local

_URL_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True)
class TrustedSettings:
    """Settings that a resume does not take from the run's folder but from its caller.

    Args:
        base_url: Address of the model's server. Needed unless the stored address is on this machine
            or equals OPENAI_BASE_URL.
        examples_dir: The run's folder of examples. Needed until the run has read it.
        initial_reward: The run's initial reward file. Needed until the run has read it.
        sandbox: Which layers of the sandbox must hold. Needed if the run was started with fewer
            than `full`.
    """

    base_url: str | None = None
    examples_dir: Path | None = None
    initial_reward: str | None = None
    sandbox: SandboxLevel | None = None


@dataclass(frozen=True)
class NeededSettings:
    """Which of the stored settings a resume needs."""

    address: bool = True
    """False if the caller passes a proposer."""
    examples: bool = True
    """False if the run has chosen its examples already."""
    initial_reward: bool = True
    """False if the run has read its initial reward already."""
    sandbox: bool = True
    """False if the caller passes a sandbox."""


def trusted_config(
    stored: SynthesisConfig, again: TrustedSettings, needed: NeededSettings
) -> SynthesisConfig:
    """Return the config for a resume: the stored one with what was given again.

    Raises UsageError if a needed setting was not given; the message names the option.
    """
    if needed.address and stored.models.asks_models:
        stored = _with_address(stored, again.base_url)
    if needed.examples and stored.models.examples_dir is not None:
        _require_same_path("--examples-dir", str(stored.models.examples_dir), again.examples_dir)
    if needed.initial_reward and stored.search.initial_reward not in (None, "human"):
        _require_same_path(
            "--initial-reward", str(stored.search.initial_reward), again.initial_reward
        )
    if needed.sandbox and stored.run.sandbox != "full" and again.sandbox is None:
        raise UsageError(
            f"The run was started with --sandbox {stored.run.sandbox}, so layers of the sandbox may"
            " be missing, and code that gets past the checks can do more. Give --sandbox"
            f" {stored.run.sandbox} again if the run is yours, else --sandbox full."
        )
    return stored if again.sandbox is None else stored.replaced(sandbox=again.sandbox)


def _with_address(stored: SynthesisConfig, given: str | None) -> SynthesisConfig:
    if given is not None:
        return stored.replaced(base_url=given)
    url = stored.models.base_url
    if (
        url is None
        or is_local(url)
        or url.rstrip("/") == os.environ.get(_URL_VARIABLE, "").strip().rstrip("/")
    ):
        return stored
    shown = one_line(url)
    raise UsageError(
        f"The run was started with the server {shown}, which would receive your key. A run's folder"
        " may come from somebody else, so a stored address is used only if you name it: give"
        f" --base-url {shown} if you trust it."
    )


def _require_same_path(option: str, stored: str, given: Path | str | None) -> None:
    shown = one_line(stored)
    if given is None:
        raise UsageError(
            f"The run was started with {option} {shown}, whose content goes into its prompts and"
            " was not read yet. A run's folder may come from somebody else, so a stored path is"
            f" read only if you name it: give {option} {shown} if you want that."
        )
    if Path(given).expanduser().resolve() != Path(stored).expanduser().resolve():
        got = one_line(str(given))
        raise UsageError(
            f"The run was started with {option} {shown}, and that cannot be changed: got {got}."
        )
