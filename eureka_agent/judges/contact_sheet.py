"""Several pictures in one, each with its time."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_COLUMNS = 4
_GAP = 4
_FONT_SIZE = 18
_INK, _PAPER = (20, 20, 20), (255, 255, 255)


def contact_sheet(pictures: Sequence[Image.Image], captions: Sequence[str]) -> bytes:
    """Return pictures of one size in rows of four, as a PNG file.

    Args:
        pictures: What is shown, from left to right and then from top to bottom.
        captions: What is written in the corner of each.
    """
    width, height = pictures[0].size
    rows = -(-len(pictures) // _COLUMNS)
    size = (_COLUMNS * (width + _GAP) - _GAP, rows * (height + _GAP) - _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    drawing = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        row, column = divmod(number, _COLUMNS)
        corner = (column * (width + _GAP), row * (height + _GAP))
        sheet.paste(picture, corner)
        _write(drawing, corner, caption, font)
    file = io.BytesIO()
    sheet.quantize(128, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


def _write(
    drawing: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write on a light box in the upper left corner."""
    place = (corner[0] + 6, corner[1] + 4)
    left, top, right, bottom = drawing.textbbox(place, text, font=font)
    drawing.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=_PAPER)
    drawing.text(place, text, fill=_INK, font=font)
