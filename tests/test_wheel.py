"""What a user installs: the wheel's contents, and the commands in a fresh environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the tools of this environment; the network is not needed."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, since setuptools leaves a build folder that the next wheel would repeat.
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=_left_out)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(folder.glob("*.whl"))


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what a copy of the project leaves out: the runs, what was built, and all that is
    hidden."""
    by_pattern = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")(folder, names)
    return by_pattern | ({"runs"} if Path(folder) == ROOT else set())


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_one_top_level_name(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {"eureka_agent/py.typed"}
    for folder, prefix in (
        ("eureka_agent", ""),
        ("envs", "eureka_agent/"),
        ("sandbox", "eureka_agent/"),
    ):
        for pattern in ("*.py", "*.pyi", "*.xml"):
            expected |= {
                prefix + str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern)
            }
    for pattern in ("*.py", "*.md"):
        expected |= {
            f"eureka_agent/{path.relative_to(ROOT)}" for path in (ROOT / "prompts").rglob(pattern)
        }
    for pattern in ("*.html", "assets/*", "*.jinja"):  # pages and task files
        found = (ROOT / "eureka_agent").rglob(pattern)
        expected |= {str(path.relative_to(ROOT)) for path in found}
    expected |= {"eureka_agent/sandbox/README.md"}
    assert names == expected


@pytest.mark.slow
def test_the_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    """The environment has only the wheel; its dependencies are lent by the one that runs the
    tests."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True
    )
    lent = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})) / "lent.pth"
    lent.write_text(sysconfig.get_path("purelib") + "\n")
    command = [str(tmp_path / "venv" / "bin" / "eureka-agent"), "tasks"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    for task in ("cartpole", "ball_balance", "hopper_forward", "ant_forward", "pen_spinning"):
        assert task in done.stdout
    where = subprocess.run(
        [python, "-c", "import eureka_agent.envs as e; print(e.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert where.stdout.startswith(str(tmp_path))
