"""The example library: valid examples, the nearest ones found, no task's secrets told."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import torch

import eureka_agent as ea
from eureka_agent.checks import check_source
from eureka_agent.cli.main import main
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.jail.contract import check_contract
from eureka_agent.prompting.examples import (
    choose_examples,
    example_text,
    most_similar,
    read_examples,
    read_state,
)
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Example
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.tasks.registry import all_tasks, load_task, telling_words
from eureka_agent.tasks.task import Task
from tests.support.prompts import failed, leaked, user, worked
from tests.support.rewards import UNKNOWN_NAME, upright
from tests.support.runs import StoppedError, config, shown
from tests.support.snapshots import matches_snapshot
from tests.support.toy_task import ToyTask

LIBRARY = read_examples(resources.files("eureka_agent.prompts").joinpath("examples"))
CODE = "def compute_reward(hand):\n    return hand[:, 0], {}"
GOOD = f"# wave a hand\n\n- `hand` (num_envs, 3) m: where it is\n\n```python\n{CODE}\n```\n"


def chosen(task: Task, count: int, folder: Path | None = None) -> tuple[Example, ...]:
    return choose_examples(
        SynthesisConfig.of(task=task.name, examples=count, examples_dir=folder), task
    )


# ---------------------------------------------------------------- the library
def test_library_has_ten_or_more_distinct_examples() -> None:
    assert len(LIBRARY) >= 10
    assert (
        len({example.description for example in LIBRARY})
        == len({e.code for e in LIBRARY})
        == len(LIBRARY)
    )


@pytest.mark.parametrize("example", LIBRARY, ids=lambda example: example.name)
def test_an_example_keeps_the_contract_on_random_states(example: Example, sandbox: Sandbox) -> None:
    """Like any candidate: shapes, finite values, unchanged inputs, independent rows."""
    spec, _ = read_state(example.state)
    reward = check_source(example.code, spec)
    listed = {variable.name for variable in spec.variables} | spec.constants.keys()
    # State that the reward does not read would distract.
    assert listed == {name.removeprefix("prev_") for name in reward.parameters}
    torch.manual_seed(0)
    samples = {name: torch.randn(64, *shape) for name, shape in spec.shapes.items()}
    sealed = sandbox.open(reward, spec, max_rows=64)
    try:
        check_contract(sealed, samples)
        batch = sealed(
            {name: values for name, values in samples.items() if name in reward.parameters}
        )
    finally:
        sealed.close()
    assert 2 <= len(batch.components) <= 5
    total = torch.stack(list(batch.components.values())).sum(dim=0)
    torch.testing.assert_close(total, batch.reward)  # as the system message asks


# ---------------------------------------------------------------- selection
def pair(name: str, description: str, state_names: str = "") -> Example:
    return Example(name, description, "", state_names, CODE)


def test_nearest_examples_share_the_rarest_words() -> None:
    library = [
        pair("d", "open a door", "handle_pos"),
        pair("c", "close a drawer", "handle_pos"),
        pair("b", "run forward", "leg_vel"),
        pair("a", "walk forward", "leg_vel"),
    ]
    assert [e.name for e in most_similar(library, "run on a leg", 2)] == ["b", "a"]
    assert [e.name for e in most_similar(library, "doors opening", 1)] == [
        "d"
    ]  # endings do not count
    for order in (library, library[::-1]):  # ties and zeros are ordered by name
        assert [e.name for e in most_similar(order, "pull the handle", 3)] == ["c", "d", "a"]


def test_nearest_examples_of_the_library_for_known_tasks() -> None:
    assert chosen(load_task("cartpole"), 1)[0].name == "double_pendulum"
    assert chosen(load_task("pen_spinning"), 1)[0].name == "valve_turning"
    instruction = SynthesisConfig.of(task="swim like a snake", env="ant_forward", examples=1)
    assert choose_examples(instruction, load_task("ant_forward"))[0].name == "snake_swimming"


@pytest.mark.parametrize(
    "task", [each for each in all_tasks() if each.has_human_source], ids=lambda task: task.name
)
def test_examples_of_the_task_itself_are_not_shown(tmp_path: Path, task: Task) -> None:
    """Neither the library nor a folder with the human reward under another title shows them."""
    state = "\n".join(
        f"- `{n}` (num_envs, {', '.join(map(str, s))}): x"
        for n, s in task.reward_inputs.shapes.items()
    )
    state += "".join(
        f"\n- `{name}` = {value}" for name, value in task.reward_inputs.constants.items()
    )
    commented = task.human_reward.replace("compute_reward(", "compute_reward(  # ours\n    ", 1)
    for name, title, code in (
        ("a", "do something else", commented),
        ("b", f"{task.description.upper()}!", task.human_reward),
    ):
        (tmp_path / f"{name}.md").write_text(f"# {title}\n\n{state}\n\n```python\n{code}\n```\n")
    examples = chosen(task, len(LIBRARY), tmp_path)
    assert {example.name for example in examples} == {example.name for example in LIBRARY}
    prompt = write_prompt(task, task.description, 0, (), (), examples=examples)
    assert leaked(task, prompt) == set()
    named = {
        frozenset(telling_words(words)) for words in (task.name, task.description, *task.aliases)
    }
    assert not named & {frozenset(telling_words(example.description)) for example in examples}


def test_an_example_of_your_own_is_added_to_the_library_or_replaces_one(tmp_path: Path) -> None:
    (tmp_path / "valve_turning.md").write_text(
        GOOD.replace("wave a hand", "spin a pen as fast as you can")
    )
    pen = load_task("pen_spinning")
    assert chosen(pen, 1, tmp_path)[0].code == CODE
    assert len(chosen(pen, len(LIBRARY), tmp_path)) == len(LIBRARY)


# ---------------------------------------------------------------- in prompts
def test_every_kind_of_prompt_contains_the_examples() -> None:
    toy, best = ToyTask(), worked(0, 0)
    prompts = [
        write_prompt(toy, toy.description, 0, (), (), examples=LIBRARY[:2]),
        write_prompt(toy, toy.description, 1, (best,), (best,), examples=LIBRARY[:2]),
        write_prompt(
            toy, toy.description, 1, (), (failed(0, 0, "check", "no."),), examples=LIBRARY[:2]
        ),
    ]
    heads = [user(prompt).split("# The task")[0] for prompt in prompts]
    assert heads[0] == heads[1] == heads[2]
    matches_snapshot("examples", heads[0])
    assert "other tasks" not in user(write_prompt(toy, toy.description, 0, (), ()))


def test_a_resumed_run_shows_its_stored_examples(tmp_path: Path, sandbox: Sandbox) -> None:
    """The file is removed before the resume; its text is in the database."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "waving.md").write_text(
        GOOD.replace("wave a hand", "balance a pole on a cart, and wave")
    )

    def stop(event: object) -> None:
        if type(event).__name__ == "GenerationFinished":
            raise StoppedError

    script = [[upright(0.1)], [upright(0.2)]]
    settings = config(tmp_path, samples=1, examples=2, examples_dir=folder)
    first, second = ScriptedProposer(script), ScriptedProposer(script)
    with pytest.raises(StoppedError):
        ea.synthesize(settings, proposer=first, listener=stop, sandbox=sandbox)
    (folder / "waving.md").unlink()
    ea.resume(tmp_path / "run", proposer=second, sandbox=sandbox)
    for proposer in (first, second):
        assert "## balance a pole on a cart, and wave" in user(proposer.prompts[0])
        assert CODE in user(proposer.prompts[0])
    assert "Examples  waving, double_pendulum" in shown(tmp_path / "run")
    with Store.open(RunDir(tmp_path / "run").database, writable=False) as store:
        assert "## balance a pole on a cart, and wave" in store.prompts(1)[0].messages[1].content


def test_the_best_reward_of_a_run_becomes_an_example(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    proposer = ScriptedProposer([[upright(0.1)]])
    ea.synthesize(config(tmp_path, samples=1, generations=1), proposer=proposer, sandbox=sandbox)
    out = tmp_path / "mine" / "cart.md"
    out.parent.mkdir()
    assert main(["export", str(tmp_path / "run"), "--example", "--out", str(out)]) == 0
    assert "The example is in" in capsys.readouterr().out
    (example,) = read_examples(out.parent)
    assert example.description == load_task("cartpole").description
    assert example.state_names == "dof_pos dof_vel"
    assert "calm = -0.1 * dof_vel" in example.code
    assert example in chosen(load_task("hopper_forward"), len(LIBRARY) + 1, out.parent)
    assert example not in chosen(load_task("cartpole"), len(LIBRARY), out.parent)


def test_an_example_lists_unlisted_state_that_its_reward_reads(tmp_path: Path) -> None:
    spec = load_task("cartpole").reward_inputs
    code = "def compute_reward(prev_obs_buf):\n    return prev_obs_buf[:, 0], {}\n"
    file = tmp_path / "cart.md"
    file.write_text(example_text("push the cart", spec, check_source(code, spec)), encoding="utf-8")
    (example,) = read_examples(tmp_path)
    assert example.state_names == "obs_buf"


def test_a_run_without_a_best_reward_cannot_be_exported_as_an_example(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    proposer = ScriptedProposer(lambda prompt, index: UNKNOWN_NAME)
    ea.synthesize(
        config(tmp_path, samples=1, generations=1, attempts=1), proposer=proposer, sandbox=sandbox
    )
    assert main(["export", str(tmp_path / "run"), "--example"]) == 2
    assert "has no best reward" in capsys.readouterr().err


# ---------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be a title"),
        (GOOD.replace("# wave", "wave"), "must be a title"),
        (GOOD.replace("- `hand` (num_envs, 3) m: where it is", ""), "lists no state"),
        (
            GOOD.replace("(num_envs, 3)", "3 numbers"),
            "does not describe state: write `- `name` \\(num_envs, 3\\) unit: meaning`",
        ),
        (GOOD.replace("`hand`", "`arm`"), "not an example: .*'hand'"),
        (GOOD.partition("```")[0], "holds no Python function"),
        (GOOD.replace("return hand", "import os\n    return hand"), "not an example: Line 2"),
    ],
)
def test_a_file_that_is_not_an_example_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.md").write_text(text)
    with pytest.raises(UsageError, match=says) as error:
        read_examples(tmp_path)
    assert "bad.md" in str(error.value)


def test_a_folder_without_examples_or_a_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no examples"):
        read_examples(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no examples"):
        read_examples(tmp_path)
    (tmp_path / "bad.md").write_bytes(b"# \xff")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read_examples(tmp_path)


def test_example_options_that_cannot_work_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for args, says in (
        (["--examples", "-1"], "--examples must be 0 (none) or more, got -1"),
        (["--examples-dir", "x"], "--examples-dir needs --examples"),
        (["--examples", "99"], f"exceeds the number of examples for other tasks ({len(LIBRARY)})"),
    ):
        assert (
            main(["synthesize", "--task", "cartpole", *args, "--runs-dir", str(tmp_path / "runs")])
            == 2
        )
        assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()
