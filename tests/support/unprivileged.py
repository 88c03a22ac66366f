"""Run Python as the user `nobody`, even if only root may enter the interpreter's folder."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_TOOLS = ("unshare", "mount", "setpriv")
_SCRIPT = """
set -e
stash="$1"; hidden="$2"; shift 2
count=0
for needed in $hidden_needs; do
    mkdir "$stash/$count"; mount --bind "$needed" "$stash/$count"; count=$((count + 1))
done
mount -t tmpfs -o mode=755 none "$hidden"
count=0
for needed in $hidden_needs; do
    mkdir -p "$needed"; mount --bind "$stash/$count" "$needed"; count=$((count + 1))
done
exec "$@"
"""


@dataclass(frozen=True)
class Outcome:
    """How the program ended; `skip`: why it could not be started at all."""

    code: int
    output: str
    skip: str = ""


def run_unprivileged(arguments: Sequence[str], folder: Path) -> Outcome:
    """Run this interpreter with `arguments` in `folder` as `nobody`, without any capability.

    If a folder on the path to the interpreter, its packages or `folder` is closed to other users,
    they are mounted again under an open folder of the same name, in a mount namespace that only
    this program sees.
    """
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return Outcome(1, "", f"not on this machine: {', '.join(missing)}")
    drop = [
        "setpriv",
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        "--inh-caps=-all",
    ]
    command = [*drop, "--bounding-set=-all", sys.executable, *arguments]
    needs = {
        Path(sys.base_prefix),
        Path(sys.prefix),
        folder,
        *(Path(p) for p in sys.path if Path(p).is_dir()),
    }
    closed = {hidden for need in needs for hidden in _closed_above(need)}
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        home = Path(scratch, "home")
        home.mkdir()
        home.chmod(0o777)
        environment = _environment(home)
        if closed:
            hidden = min(closed, key=lambda path: len(path.parts))
            below = sorted(str(need) for need in needs if hidden in need.parents)
            environment["hidden_needs"] = " ".join(_outermost(below))
            stash = Path(scratch, "stash")
            stash.mkdir()
            command = [
                "unshare",
                "--mount",
                "sh",
                "-c",
                _SCRIPT,
                "sh",
                str(stash),
                str(hidden),
                *command,
            ]
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        output = ran.stdout + ran.stderr
        if "unshare" in output and "not permitted" in output:
            return Outcome(
                ran.returncode,
                output,
                f"no mount namespace, and {closed} is closed to others: {output}",
            )
        return Outcome(ran.returncode, output)


def _environment(home: Path) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ
    }
    own = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MUJOCO_GL": "disable",
    }
    return kept | own


def _outermost(paths: Sequence[str]) -> Iterator[str]:
    """Yield the paths that are not below another one."""
    for path in paths:
        if not any(path.startswith(f"{other}/") for other in paths):
            yield path


def _closed_above(path: Path) -> Iterator[Path]:
    """Yield the folders from the root to `path` that others may not enter."""
    for folder in (path, *path.parents):
        if not stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH:
            yield folder
