"""Words on pictures."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

_FONT_SIZE = 18
_INK, _PAPER = (20, 20, 20), (255, 255, 255)


def write_caption(image: Image.Image, corner: tuple[int, int], text: str) -> None:
    """Write on a light box.

    Args:
        image: The picture, which is changed.
        corner: The box's upper left corner in pixels.
        text: What is written; characters that the font lacks are shown as boxes.
    """
    drawing = ImageDraw.Draw(image)
    font = ImageFont.load_default(_FONT_SIZE)
    place = (corner[0] + 6, corner[1] + 4)
    left, top, right, bottom = drawing.textbbox(place, text, font=font)
    drawing.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=_PAPER)
    drawing.text(place, text, fill=_INK, font=font)
