"""A run folder may be somebody else's: what of its config is used only when the user asks for it
again.

A stored address would be sent the user's key, a stored path would be read and sent to a model, and
a stored `checks` would run code without a sandbox.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_agent.config import SandboxLevel, SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.text import one_line
from eureka_agent.utils.addresses import is_local

_URL_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True)
class TrustedSettings:
    """What a resume is given of the settings that it does not take from the run's folder."""

    base_url: str | None = None
    """Address of the model's server. One that is stored is used only when it is on this machine, is
    given again, or is that of OPENAI_BASE_URL."""
    examples_dir: Path | None = None
    """The run's folder of examples, as it was started with; needed while the run has not read it
    yet."""
    initial_reward: str | None = None
    """The run's file to start from; needed while the run has not read it yet."""
    sandbox: SandboxLevel | None = None
    """Which layers of the sandbox must hold. A run that was started below full goes on so only when
    it is said."""


@dataclass(frozen=True)
class Use:
    """What a resume is about to use of the stored settings."""

    address: bool = True
    """A model is asked, and not a proposer that the caller brought along."""
    examples: bool = True
    """The folder of examples is read: the run has not chosen its examples yet."""
    start: bool = True
    """The file to start from is read: the run has not taken it in yet."""
    sandbox: bool = True
    """The sandbox is built, and not one that the caller brought along."""


def trusted(stored: SynthesisConfig, again: TrustedSettings, use: Use) -> SynthesisConfig:
    """Return the config that a resume goes on with. Raises UsageError, which names the option to
    give."""
    if use.address and stored.model_weights:
        stored = _with_address(stored, again.base_url)
    if use.examples and stored.examples_dir is not None:
        _same_path("--examples-dir", str(stored.examples_dir), again.examples_dir)
    if use.start and stored.initial_reward not in (None, "human"):
        _same_path("--initial-reward", str(stored.initial_reward), again.initial_reward)
    if use.sandbox and stored.sandbox != "full" and again.sandbox is None:
        raise UsageError(
            f"The run was started with --sandbox {stored.sandbox}. Layers of the sandbox may be"
            " missing then, and code that fools the checks can do more. Give --sandbox"
            f" {stored.sandbox} again if the run is yours, else --sandbox full."
        )
    return stored if again.sandbox is None else replace(stored, sandbox=again.sandbox)


def _with_address(stored: SynthesisConfig, given: str | None) -> SynthesisConfig:
    if given is not None:
        return replace(stored, base_url=given)
    url = stored.base_url
    if (
        url is None
        or is_local(url)
        or url.rstrip("/") == os.environ.get(_URL_VARIABLE, "").strip().rstrip("/")
    ):
        return stored
    shown = one_line(url)
    raise UsageError(
        f"The run was started with the server {shown}, and it would be sent your key. A run's"
        " folder may be somebody else's, so a stored address is not used unless you name it: give"
        f" --base-url {shown} if you trust it."
    )


def _same_path(option: str, stored: str, given: Path | str | None) -> None:
    shown = one_line(stored)
    if given is None:
        raise UsageError(
            f"The run was started with {option} {shown}, whose content goes into its prompts, and"
            " it has not been read yet. A run's folder may be somebody else's, so a stored path is"
            f" not read unless you name it: give {option} {shown} if that is what you want."
        )
    if Path(given).expanduser().resolve() != Path(stored).expanduser().resolve():
        got = one_line(str(given))
        raise UsageError(
            f"The run was started with {option} {shown}, and that cannot be changed: got {got}."
        )
