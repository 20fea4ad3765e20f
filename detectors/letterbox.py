"""Picture → network input: keep the aspect ratio, fill the rest with grey; and boxes back again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FILL = 114
"""Grey of the padding, the value that YOLO models are trained with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How one picture lies in the network's input.

    picture_px: (width, height) of the original; input_px: (width, height) of the input, multiples of the stride
    placed_px:  (width, height) that the picture takes; offset_px: its top-left corner in the input
    """

    picture_px: tuple[int, int]
    input_px: tuple[int, int]
    placed_px: tuple[int, int]
    offset_px: tuple[int, int]

    def to_picture(self, xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes (N, 4) in input pixels → pixels of the original picture, clipped to it."""
        width, height = self.picture_px
        scale = np.array([width / self.placed_px[0], height / self.placed_px[1]] * 2, np.float32)
        boxes = (xyxy - np.array(self.offset_px * 2, np.float32)) * scale
        return np.asarray(np.clip(boxes, 0, np.array([width, height] * 2, np.float32)), np.float32)


def fit(picture_px: tuple[int, int], *, long_side_px: int, stride: int) -> Letterbox:
    """Place a picture in the smallest input whose long side is long_side_px and whose sides divide by stride.

    Rectangular on purpose: a 16:9 camera does not pay for a square.
    """
    width, height = picture_px
    scale = long_side_px / max(width, height)
    placed = (max(1, round(width * scale)), max(1, round(height * scale)))
    input_width, input_height = (-(-side // stride) * stride for side in placed)
    return Letterbox(
        picture_px=picture_px,
        input_px=(input_width, input_height),
        placed_px=placed,
        offset_px=((input_width - placed[0]) // 2, (input_height - placed[1]) // 2),
    )


def write_into(batch_row: npt.NDArray[np.float32], picture_bgr: npt.NDArray[np.uint8], letterbox: Letterbox) -> None:
    """Write a decoded picture (H, W, 3) BGR into one row (3, h, w) of a batch, RGB in 0..1.

    The picture may already be smaller than letterbox.picture_px (a scaled decode).
    """
    width, height = letterbox.placed_px
    x0, y0 = letterbox.offset_px
    shrinking = picture_bgr.shape[1] > width
    placed = cv2.resize(picture_bgr, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    batch_row[:] = FILL / 255
    window = batch_row[:, y0 : y0 + height, x0 : x0 + width]
    np.multiply(placed[..., ::-1].transpose(2, 0, 1), np.float32(1 / 255), out=window, casting="unsafe")
