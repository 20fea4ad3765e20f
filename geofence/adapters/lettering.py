"""Text on a picture that can be read on any ground, and that does not hide other text where it can be avoided."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
BgrColour = tuple[int, int, int]
_Box = tuple[float, float, float, float]

_SIZE_PX = 15
_PAD_PX = 4
_BOLD = 600
# Rows of text by which a label is moved to where it hides no other one.
_TRIES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
_GROUND: BgrColour = (25, 25, 25)


class Lettering:
    """Finds places for texts on one picture (H, W, 3), and writes them all at the end, over whatever was drawn."""

    def __init__(self, image: Image, scale: float) -> None:
        self.scale = scale
        self._image = image
        self._size = round(_SIZE_PX * scale)
        self._pad = _PAD_PX * scale
        self._font = cv2.FontFace("sans")
        self._written: list[tuple[str, _Box, BgrColour]] = []

    def label(self, text: str, spot: tuple[float, float], colour: BgrColour) -> None:
        """Text centred at a spot, moved down or up where other text stands; left out where there is no room near it."""
        width, height = self.measure(text)
        self._place_near(text, (spot[0] - width / 2, spot[1] - height / 2), colour)

    def label_beside(self, text: str, spot: tuple[float, float], colour: BgrColour) -> tuple[float, float] | None:
        """Text that begins at a spot, moved as by `label`; where it begins then, None where it is left out."""
        box = self._place_near(text, (spot[0], spot[1] - self.measure(text)[1] / 2), colour)
        return None if box is None else (box[0], (box[1] + box[3]) / 2)

    def free_label(self, text: str, spot: tuple[float, float], colour: BgrColour, *, is_right: bool = False) -> None:
        """Text that begins (or ends) at a spot, left out where other text stands."""
        width, height = self.measure(text)
        x, y = self._inside(spot[0] - (width if is_right else 0), spot[1] - height / 2, width, height)
        box = self._box(x, y, width, height)
        if self._is_free(box):
            self._place(text, box, colour)

    def panel(self, lines: list[str]) -> None:
        """Lines in the upper left corner."""
        sizes = [self.measure(line) for line in lines]
        for number, (line, (width, height)) in enumerate(zip(lines, sizes, strict=True)):
            self._place(line, self._box(self._pad, self._pad + number * height, width, height), (255, 255, 255))

    def measure(self, text: str) -> tuple[float, float]:
        """Width and height of a text with its ground, pixels."""
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), self._font, self._size, _BOLD)
        return width + 2 * self._pad, self._size + 2 * self._pad

    def write(self) -> None:
        """Put every text where it has its place."""
        for text, box, colour in self._written:
            self._write(text, box, colour)

    def _place(self, text: str, box: _Box, colour: BgrColour) -> None:
        self._written.append((text, box, colour))

    def _place_near(self, text: str, corner: tuple[float, float], colour: BgrColour) -> _Box | None:
        """Where the text found room: with its upper left there, or some rows below or above; None for nowhere."""
        width, height = self.measure(text)
        x, y = self._inside(*corner, width, height)
        boxes = [self._box(*self._inside(x, y + step * (height + 2), width, height), width, height) for step in _TRIES]
        free = next((box for box in boxes if self._is_free(box)), None)
        if free is not None:
            self._place(text, free, colour)
        return free

    def _inside(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        rows, columns = self._image.shape[:2]
        return max(0.0, min(x, columns - width)), max(0.0, min(y, rows - height))

    def _box(self, x: float, y: float, width: float, height: float) -> _Box:
        return x, y, x + width, y + height

    def _is_free(self, box: _Box) -> bool:
        return not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for _, other, _ in self._written
        )

    def _write(self, text: str, box: _Box, colour: BgrColour) -> None:
        x0, y0, x1, y1 = (round(side) for side in box)
        ground = self._image[y0:y1, x0:x1]
        cv2.addWeighted(ground, 0.3, np.full_like(ground, _GROUND), 0.7, 0, dst=ground)
        bright = tuple(min(255, round(channel * 0.6 + 102)) for channel in colour)
        baseline = (round(x0 + self._pad), round(y1 - self._pad - self._size * 0.15))
        cv2.putText(self._image, text, baseline, bright, self._font, self._size, _BOLD)
