"""The README shows a report."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parents[3] / "docs"


def test_the_readme_shows_a_picture_of_a_report_that_loads_quickly() -> None:
    picture = DOCS / "report.png"
    assert picture.stat().st_size < 300_000
    assert Image.open(picture).width >= 1_000
    assert "(docs/report.png)" in (DOCS.parent / "README.md").read_text("utf-8")
