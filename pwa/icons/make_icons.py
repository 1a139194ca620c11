"""Draws the PNG icons from the same shapes as icon.svg, four times over and reduced. Run by hand after the mark changes."""

from pathlib import Path

from PIL import Image, ImageDraw

GREEN, PAPER, SUN = "#0b5f46", "#fbf8f1", "#f5b82e"
CAMERA = [(96, 196), (172, 196), (208, 144), (304, 144), (340, 196), (416, 196), (416, 376), (96, 376)]
TICK = [(192, 284), (238, 330), (324, 238)]
OVER = 4


def stroke(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float, colour: str) -> None:
    """Draw a line with round joints and ends."""
    draw.line(points, fill=colour, width=round(width))
    for x, y in points:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def icon(size: int, mark: float, rounded: bool) -> Image.Image:
    """Draw the mark at `mark` of the full size, on a rounded square or (maskable) a full one."""
    big = size * OVER
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, big - 1, big - 1), radius=big * 112 / 512 if rounded else 0, fill=GREEN)
    scale = big / 512 * mark
    middle = big / 2

    def place(points: list[tuple[int, int]]) -> list[tuple[float, float]]:
        return [(middle + (x - 256) * scale, middle + (y - 260) * scale) for x, y in points]

    stroke(draw, [*place(CAMERA), place(CAMERA)[0]], 30 * scale, PAPER)
    stroke(draw, place(TICK), 34 * scale, SUN)
    small = image.resize((size, size), Image.Resampling.LANCZOS)
    return small.quantize(48, method=Image.Quantize.FASTOCTREE)


def main() -> None:
    """Write all sizes beside this file."""
    here = Path(__file__).parent
    for size in (192, 512):
        icon(size, 1.0, rounded=True).save(here / f"icon-{size}.png", optimize=True)
        icon(size, 0.78, rounded=False).save(here / f"maskable-{size}.png", optimize=True)
    icon(180, 0.9, rounded=False).convert("RGB").quantize(48).save(here / "icon-180.png", optimize=True)


if __name__ == "__main__":
    main()
