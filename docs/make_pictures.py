"""Make `docs/report.png`, the picture of a report in the README, from a real run.

    make demo
    python docs/make_pictures.py runs/<the demo's run>

It needs chromium and playwright (`pip install -e ".[dev]"`).
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from eureka_agent.report.html.writer import write_report
from eureka_agent.runs.directory import RunDir

PICTURE = Path(__file__).with_name("report.png")
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""3-D pictures are drawn by the CPU; the page is our own, and a container has no sandbox."""
WIDTH, HEIGHT = 1180, 1600
SHARE = 0.15
"""Part of the episode after which the replays stop for the picture."""
MOST_BYTES = 300_000


def main() -> None:
    """Write the picture of the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the run's folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(RunDir(arguments.run), Path(folder) / "report.html")
        data = photographed(page)
    Image.open(io.BytesIO(data)).convert("RGB").save(PICTURE, optimize=True)
    size = PICTURE.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{PICTURE} has {size:,} bytes, more than {MOST_BYTES:,}: lower WIDTH.")


def photographed(file: Path) -> bytes:
    """Return the upper part of a report as PNG, with its replays in motion."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",  # replays stand still
        )
        page.goto(file.as_uri())
        end = seek(page)
        data = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": end})
        browser.close()
    return data


def seek(page: Page) -> float:
    """Wait for the replays and move them to the same moment; return where their controls end."""
    page.locator("#result figure.replay canvas").first.wait_for()
    slider = page.locator("#result .replay-controls input[type=range]")
    slider.wait_for()
    last = float(slider.get_attribute("max") or 0)
    slider.fill(f"{round(SHARE * last)}")
    slider.blur()
    page.wait_for_timeout(3_000)  # the pictures are drawn well once the motion rests
    controls = page.locator("#result .replay-controls").bounding_box()
    if controls is None:
        raise SystemExit("The report shows no replays: choose a run that has some.")
    return controls["y"] + controls["height"] + 16.0


if __name__ == "__main__":
    main()
