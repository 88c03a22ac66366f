"""Several pictures in one, each with its time."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from eureka_agent.simulation.drawing.captions import write_caption

_COLUMNS = 4
_GAP = 4
_QUALITY = 85
_PAPER = (255, 255, 255)


def contact_sheet(pictures: Sequence[Image.Image], captions: Sequence[str]) -> bytes:
    """Return pictures of one size in rows of four, as a JPEG file.

    Args:
        pictures: What is shown, from left to right and then from top to bottom.
        captions: What is written in the corner of each.
    """
    width, height = pictures[0].size
    rows = -(-len(pictures) // _COLUMNS)
    size = (_COLUMNS * (width + _GAP) - _GAP, rows * (height + _GAP) - _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        row, column = divmod(number, _COLUMNS)
        corner = (column * (width + _GAP), row * (height + _GAP))
        sheet.paste(picture, corner)
        write_caption(sheet, corner, caption)
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
