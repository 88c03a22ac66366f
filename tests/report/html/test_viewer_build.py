"""The committed viewer is what its sources build."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "viewer"
ASSETS = ROOT / "eureka_agent/report/html/assets"
REBUILD = "the sources changed: run `npm install && npm run build` in viewer/"


def sources_hash() -> str:
    names = sorted(path.name for path in (SOURCES / "src").iterdir())
    digest = hashlib.sha256()
    for path in ("package-lock.json", "build.mjs", *(f"src/{name}" for name in names)):
        digest.update(f"{path}\n".encode() + (SOURCES / path).read_bytes())
    return digest.hexdigest()


def test_the_viewer_is_built_from_the_sources_that_are_here() -> None:
    built = (ASSETS / "viewer.js").read_text("utf-8")
    found = re.search(r"sources: (\w{64})", built)
    assert found is not None
    assert found[1] == sources_hash(), REBUILD


@pytest.mark.slow
def test_building_again_gives_the_committed_files(tmp_path: Path) -> None:
    if not (SOURCES / "node_modules").is_dir():
        pytest.skip("viewer/node_modules is missing: npm install")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=SOURCES, check=True, timeout=120)
    for name in ("viewer.js", "THIRD_PARTY_LICENSES"):
        assert (tmp_path / name).read_bytes() == (ASSETS / name).read_bytes(), REBUILD


def test_the_licence_of_what_is_inside_is_kept() -> None:
    text = (ASSETS / "THIRD_PARTY_LICENSES").read_text("utf-8")
    assert text.startswith("three.js 0.")
    assert "Permission is hereby granted, free of charge" in text
    assert "THIRD_PARTY_LICENSES" in (ASSETS / "viewer.js").read_text("utf-8")[:500]


def test_the_viewer_stays_small() -> None:
    assert (ASSETS / "viewer.js").stat().st_size < 700_000


def test_no_source_makes_markup_from_text() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    for path in (SOURCES / "src").glob("*.js"):
        text = path.read_text("utf-8")
        assert not forbidden.search(text), path
        assert text.count("\n") <= 300, path
