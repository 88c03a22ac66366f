"""Ids of tasks: reading, writing, and the options of the command line."""

from __future__ import annotations

import pytest

from eureka_agent.config import TaskConfig
from eureka_agent.errors import UsageError
from eureka_agent.tasks.ids import join_id, kind_of_id, split_id, with_options


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("gym:Hopper-v5", "gym"),
        ("  gym:some_package/Env-v0 {}", "gym"),
        ("hopper", None),
        ("gym", None),
        ("do this: hop", None),
        ("C:/tasks/hopper", None),
    ],
)
def test_kind_of_a_text(text: str, kind: str | None) -> None:
    assert kind_of_id(text) == kind


def test_id_with_options_is_read_as_it_was_written() -> None:
    options = {"fitness": "info:x_position:last", "kwargs": {"healthy_reward": 0, "xml": "a b.xml"}}
    text = join_id("gym", "Hopper-v5", {**options, "other": None})
    assert split_id(text) == ("Hopper-v5", options)
    assert split_id(join_id("gym", "Hopper-v5", {})) == ("Hopper-v5", {})
    changed = with_options(text, {"fitness": "env_return", "kwargs": None})
    assert split_id(changed) == ("Hopper-v5", {**options, "fitness": "env_return"})


@pytest.mark.parametrize("after", ["fitness=1", "[1]", "{"])
def test_id_with_something_else_than_a_json_object_is_refused(after: str) -> None:
    with pytest.raises(UsageError, match="must be a JSON object of options"):
        split_id(f"gym:Hopper-v5 {after}")


def test_options_of_the_command_line_become_part_of_the_id() -> None:
    config = TaskConfig(
        "gym:Hopper-v5", fitness="env_return", env_kwargs=("healthy_reward=0.5", "xml_file=a b.xml")
    )
    kwargs = {"healthy_reward": 0.5, "xml_file": "a b.xml"}
    expected = {"fitness": "env_return", "kwargs": kwargs}
    assert split_id(str(config.scene)) == ("Hopper-v5", expected)
    new = TaskConfig("hop high", env="gym:Hopper-v5", env_kwargs=("healthy_reward=0.5",))
    assert split_id(str(new.scene)) == ("Hopper-v5", {"kwargs": {"healthy_reward": 0.5}})


def test_options_of_an_id_are_refused_for_other_tasks() -> None:
    with pytest.raises(UsageError, match="are for environments that are given by their id"):
        _ = TaskConfig("hopper", fitness="env_return").scene


@pytest.mark.parametrize("text", ["healthy_reward", "=1", "two words=1"])
def test_argument_that_is_not_name_and_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--env-kwargs takes NAME=VALUE"):
        _ = TaskConfig("gym:Hopper-v5", env_kwargs=(text,)).scene
