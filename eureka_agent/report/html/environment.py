"""The templates of all HTML pages, and what stands in every page.

What a model, a candidate or a run's folder says is escaped: autoescape is on in every template, and
a filter removes characters that could change how a page reads.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eureka_agent.report.formatting import (
    duration,
    escape_control,
    number,
    one_line,
    quantity,
    solved_end,
)
from eureka_agent.report.html.code import coloured, difference

_HERE = Path(__file__).parent


@cache
def html_environment(*folders: Path) -> Environment:
    """Return the environment of the pages' templates, whose compiled templates are shared.

    Args:
        folders: Further folders of templates; one in them replaces a template of the same name.

    Returns:
        An environment with autoescape; an unknown name in a template is an error.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "coloured": coloured,
        "duration": duration,
        "number": number,
        "one_line": one_line,
        "quantity": quantity,
    }
    environment.globals |= {"difference": difference, "solved_end": solved_end}
    return environment


@cache
def asset(name: str) -> str:
    """Return the text of a file in `assets/`, such as `style.css`."""
    return (_HERE / "assets" / name).read_text("utf-8")


def style() -> Markup:
    """Return the style sheet for a page's `<style>`."""
    return _inside(asset("style.css"), "style")


def script(name: str) -> Markup:
    """Return a script of `assets/` for a page's `<script>`."""
    return _inside(asset(name), "script")


def standalone_policy(scripts: Sequence[str] = ()) -> str:
    """Return the content security policy of a page that stands alone and loads nothing.

    Args:
        scripts: The scripts in the page, exactly as they stand between their tags.

    Returns:
        A policy under which no request leaves the page and no other script runs.
    """
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:;"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _inside(text: str, tag: str) -> Markup:
    """Return our own text for the inside of a tag, which no entity can be used in."""
    if f"</{tag}" in text.lower():
        raise ValueError(f"the text for <{tag}> would end it")
    return Markup(text)


def _shown(value: object) -> object:
    """Return a template's value with every character visible that could hide or reverse text."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape_control(value)
    return value
