"""Options of the form `name` or `name:argument`, such as `--strategy islands:2`."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_agent.errors import ConfigError
from eureka_agent.utils.did_you_mean import did_you_mean


def split_choice(option: str, given: str, forms: Mapping[str, str]) -> tuple[str, str]:
    """Split `given` into a name and its argument.

    Args:
        option: The option, for messages.
        given: `name` or `name:argument`.
        forms: How each allowed name is written, such as `islands[:N]`; a form without a colon takes
            no argument.

    Returns:
        The name, and the argument or an empty string.

    Raises:
        ConfigError: The name is unknown, or takes no argument.
    """
    name, colon, argument = given.partition(":")
    if name not in forms:
        *first, last = forms.values()
        raise ConfigError(
            f"{option} must be {', '.join(first)} or {last}, got {given!r}."
            f"{did_you_mean(name, list(forms))}"
        )
    if colon and (":" not in forms[name] or not argument):
        raise ConfigError(f"{option} {name} is written as {forms[name]}, got {given!r}.")
    return name, argument
