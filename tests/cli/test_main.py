"""The command line: results, and one sentence with exit code 2 for errors."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import eureka_agent
from eureka_agent.cli.main import main, synthesize_main
from eureka_agent.tasks.registry import find_task
from tests.support.cli import HUMAN, fails
from tests.support.openai_server import ChatServer, completion, error
from tests.support.rewards import upright

TINY = ["--generations", "1", "--samples", "2", "--num-envs", "8", "--environment-steps", "512"]


def code(answer: str) -> str:
    return answer.split("```python\n")[1].split("```")[0]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--task", "cartpol"], "Did you mean 'cartpole'"),
        (["--task", "open the pen's cap"], "No task is called"),
        (
            ["--task", "make the ant run backward"],
            '--env ant_forward --task "make the ant run backward"',
        ),
        (["--task", "让机械手转笔"], '--env NAME --task "让机械手转笔"'),
        (
            ["--task", "do a trick", "--env", "make the ant run backward"],
            "--env takes the name of a task",
        ),
        (["--task", "nowhere/task.py"], "There is no file"),
        (["--task", ""], "--task is empty"),
        (["--task", "cartpole", "--samples", "0"], "--samples must be at least 1, got 0"),
        (["--task", "cartpole", "--temperature", "9"], "--temperature must lie between 0 and 2"),
        (["--task", "cartpole", "--base-url", "http://localhost:1/v1"], "--base-url needs --model"),
        (["--task", "cartpole", "--model", "m", "--base-url", "localhost"], "must start with http"),
        (["--task", "cartpole", "--runs-dir", "/proc/runs"], "Cannot write to /proc/runs"),
        (["--task", "cartpole", "--run-name", "a/b"], "A run's name"),
        (["--task", "cartpole", "--run-name", ".."], "A run's name"),
        (["--task", "cartpole", "--run-name", ""], "A run's name"),
        (["--task", "cartpole", "--run-name", "x" * 5000], "A run's name"),
        (["--task", "cartpole", "--run-name=-x"], "A run's name"),
        (
            ["--task", "cartpole", "--seed", "99999999999999999999"],
            "--seed must lie between 0 and 2,147,483,647",
        ),
        (
            ["--task", "cartpole", "--runs-dir", "~no-such-user/x"],
            "The home folder in '~no-such-user/x'",
        ),
        (["--task", "do a trick", "--env", "cartpoel"], "Did you mean 'cartpole'"),
        (["--task", "do a trick", "--env", "cartpole"], "so a judge is needed"),
    ],
)
def test_invalid_settings_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, args: list[str], says: str
) -> None:
    if "--runs-dir" not in args:
        args = [*args, "--runs-dir", str(tmp_path / "runs")]
    assert says in " ".join(fails(capsys, "synthesize", *args).split())
    assert not (tmp_path / "runs").exists()


def test_a_model_without_a_key(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    message = fails(
        capsys,
        "synthesize",
        "--task",
        "cartpole",
        "--model",
        "m",
        "--runs-dir",
        str(tmp_path / "runs"),
    )
    assert "OPENAI_API_KEY" in message
    assert not (tmp_path / "runs").exists()


def test_an_unknown_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, chat_server: ChatServer
) -> None:
    chat_server.default = error(404, "no", code="model_not_found")
    args = [
        "--task",
        "cartpole",
        "--model",
        "gtp-5",
        "--base-url",
        chat_server.base_url,
        "--no-baselines",
        *TINY,
    ]
    assert synthesize_main([*args, "--runs-dir", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "no model 'gtp-5'" in message
    assert "eureka-agent resume" in message
    assert "another --model" in message
    chat_server.default = completion(upright(0.1))
    (run,) = tmp_path.iterdir()
    others = [
        "--model",
        "gpt-5",
        "--concurrency",
        "1",
        "--answer-tokens",
        "900",
        "--request-timeout-s",
        "30",
    ]
    assert main(["resume", str(run), *others, "--extra-body", '{"top_k": 1}']) == 0
    assert [request["model"] for request in chat_server.requests[-2:]] == ["gpt-5"] * 2
    assert (chat_server.requests[-1]["max_tokens"], chat_server.requests[-1]["top_k"]) == (900, 1)
    capsys.readouterr()
    assert main(["show", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Changed --model from gtp-5 to gpt-5 on " in shown
    assert "--answer-tokens from null to 900" in shown


def test_a_model_with_empty_answers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, chat_server: ChatServer
) -> None:
    """Two empty answers stop the run; when the model writes text, `resume` asks again."""
    chat_server.default = completion(" \n")
    args = [
        "--task",
        "cartpole",
        "--model",
        "mute",
        "--base-url",
        chat_server.base_url,
        "--no-baselines",
        "--repairs",
        "0",
        *TINY,
    ]
    assert synthesize_main([*args, "--runs-dir", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "Every answer of mute was empty (2 requested)" in message
    assert "Traceback" not in message
    assert len(chat_server.requests) == 2
    chat_server.order(
        [completion(""), completion(upright(0.1))]
    )  # one empty answer of two is only that candidate's failure
    (run,) = tmp_path.iterdir()
    assert main(["resume", str(run)]) == 0
    assert len(chat_server.requests) == 4


def test_a_run_in_which_no_reward_works(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, chat_server: ChatServer
) -> None:
    chat_server.default = completion("I would rather not.")
    args = [
        "--task",
        "cartpole",
        "--model",
        "m",
        "--base-url",
        chat_server.base_url,
        "--no-baselines",
        *TINY,
    ]
    assert synthesize_main([*args, "--runs-dir", str(tmp_path)]) == 1
    assert "No reward worked: all 6 candidates failed." in capsys.readouterr().out


def test_a_run_that_exists(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    message = fails(
        capsys,
        "synthesize",
        "--task",
        "cartpole",
        "--runs-dir",
        str(tmp_path),
        "--run-name",
        "mine",
    )
    assert "exists already. The folder does not hold a run: delete it" in message
    (tmp_path / "mine" / "run.db").touch()
    message = fails(
        capsys,
        "synthesize",
        "--task",
        "cartpole",
        "--runs-dir",
        str(tmp_path),
        "--run-name",
        "mine",
    )
    assert "Continue it with `eureka-agent resume" in message


def test_unknown_options_and_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["synthesize", "--task", "cartpole", "--smaples", "3"]) == 2
    assert "--samples" in capsys.readouterr().err
    assert "There is no run 'x'" in fails(capsys, "resume", "x", "--runs-dir", str(tmp_path))
    assert "There is no run 'x'" in fails(capsys, "show", "x", "--runs-dir", str(tmp_path))


def test_the_home_folder_and_whole_names_in_a_pipe(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    name = (
        "a-name-that-is-longer-than-a-terminal-of-eighty-columns-leaves-room-for-in-a-table-of-runs"
    )
    args = [
        "--task",
        "cartpole",
        "--quick",
        "--no-baselines",
        *TINY,
        "--runs-dir",
        "~/x",
        "--run-name",
        name,
    ]
    assert synthesize_main(args) == 0
    assert f"Writing to {tmp_path / 'x' / name}" in capsys.readouterr().out
    assert main(["runs", "~/x"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].split()[:3] == [name, "cartpole", "finished"]
    assert main(["show", name, "--runs-dir", "~/x"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == name


@pytest.mark.parametrize("run", [main, synthesize_main])
def test_the_version(run: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"eureka-agent {eureka_agent.__version__}\n"


def test_check_and_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(HUMAN), "--task", "cart pole"]) == 0
    assert capsys.readouterr().out.startswith(
        f"{HUMAN} is a valid reward function for cartpole; components: "
    )
    assert main(["tasks"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^pen_spinning .* waypoints +24$", out, re.MULTILINE)
    assert "eureka-agent tasks --times" in out


@pytest.mark.slow
def test_tasks_with_the_times_of_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = find_task("cartpole")
    monkeypatch.setattr("eureka_agent.tasks.registry.all_tasks", lambda: (only,))
    assert main(["tasks", "--times"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^cartpole .* steps +500  .*(min|s|h \d\d min)$", out, re.MULTILINE)
    assert "at the environment steps per second just measured" in out


def test_synthesize_and_show_with_the_built_in_grammar(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert (
        synthesize_main(["--task", "cartpole", "--quick", *TINY, "--runs-dir", str(tmp_path)]) == 0
    )
    out = capsys.readouterr().out
    assert "built-in grammar" in out
    assert "human" in out
    (run,) = tmp_path.iterdir()
    assert (run / "best_reward.py").exists()
    assert main(["show", run.name[:8], "--runs-dir", str(tmp_path)]) == 0
    assert "g0c1" in capsys.readouterr().out
    assert main(["resume", str(run)]) == 0


@pytest.mark.parametrize("command", [["--help"], ["synthesize", "--help"]])
def test_help_needs_neither_torch_nor_mujoco(command: list[str]) -> None:
    code = (
        "import sys; from eureka_agent.cli.main import main; main(sys.argv[1:]); "
        "sys.exit(bool({'torch', 'mujoco', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout


def listen_to_ctrl_c() -> None:
    """Make SIGINT work again, which a shell makes its background jobs ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_continue(tmp_path: Path, sent: signal.Signals) -> None:
    args = ["--task", "cartpole", "--quick", "--runs-dir", str(tmp_path), "--run-name", "cut"]
    command = [
        sys.executable,
        "-c",
        "import sys; from eureka_agent.cli.main import synthesize_main as m; sys.exit(m())",
        *args,
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=listen_to_ctrl_c,
    ) as process:
        assert process.stdout is not None
        assert any("Training" in line for line in process.stdout)
        process.send_signal(sent)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert "Stopped." in errors
    assert f"eureka-agent resume {tmp_path / 'cut'}" in errors.replace("\n", "")
    assert "Traceback" not in errors


def test_doctor_says_what_another_python_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--python", sys.executable]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "gymnasium" in out
    assert "metaworld" in out
    assert main(["doctor", "--python", "no/such/python"]) == 2
