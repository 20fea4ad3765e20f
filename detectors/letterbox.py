"""Picture → network input: keep the aspect ratio, fill the rest with grey; and boxes back again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FILL = 114
"""Grey of the padding, the value that YOLO models are trained with."""

SizePx = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How one picture lies in the network's input.

    picture_px: (width, height) of the original; input_px: (width, height) of the input
    placed_px:  (width, height) that the picture takes; offset_px: its top-left corner in the input
    """

    picture_px: SizePx
    input_px: SizePx
    placed_px: SizePx
    offset_px: SizePx

    def to_picture(self, xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes (N, 4) in input pixels → pixels of the original picture, clipped to it."""
        width, height = self.picture_px
        scale = np.array([width / self.placed_px[0], height / self.placed_px[1]] * 2, np.float32)
        boxes = (xyxy - np.array(self.offset_px * 2, np.float32)) * scale
        return np.asarray(np.clip(boxes, 0, np.array([width, height] * 2, np.float32)), np.float32)


def fit(picture_px: SizePx, *, long_side_px: int, stride: int, is_centred: bool = True) -> Letterbox:
    """Place a picture, its long side at most long_side_px, in the smallest input whose sides divide by stride.

    Rectangular on purpose: a 16:9 camera does not pay for a square. A picture is never enlarged: that costs
    time and shows the network nothing new.
    """
    scale = min(1.0, long_side_px / max(picture_px))
    placed = _scaled(picture_px, scale)
    input_width, input_height = (-(-side // stride) * stride for side in placed)
    return _place(picture_px, placed, (input_width, input_height), is_centred=is_centred)


def fit_fixed(picture_px: SizePx, *, input_px: SizePx, is_centred: bool = True) -> Letterbox:
    """Fill an input that the weights file fixes, as far as the aspect ratio allows.

    A small picture is enlarged: a fixed input costs the same, filled or not.
    """
    scale = min(input_px[0] / picture_px[0], input_px[1] / picture_px[1])
    return _place(picture_px, _scaled(picture_px, scale), input_px, is_centred=is_centred)


def write_into(slot: npt.NDArray[np.uint8], picture_bgr: npt.NDArray[np.uint8], letterbox: Letterbox) -> None:
    """Write a decoded picture (H, W, 3) BGR into one slot (h, w, 3) of a batch, grey around it.

    The picture may already be smaller than letterbox.picture_px (a scaled decode). It is resized straight into
    the slot; what the slot held before is gone.
    """
    width, height = letterbox.placed_px
    x0, y0 = letterbox.offset_px
    _fill_around(slot, letterbox)
    window = slot[y0 : y0 + height, x0 : x0 + width]
    if picture_bgr.shape == window.shape:
        window[:] = picture_bgr
    else:
        cv2.resize(picture_bgr, (width, height), dst=window, interpolation=_interpolation(picture_bgr, width))


def _fill_around(slot: npt.NDArray[np.uint8], letterbox: Letterbox) -> None:
    (width, height), (x0, y0) = letterbox.placed_px, letterbox.offset_px
    for border in (slot[:y0], slot[y0 + height :], slot[:, :x0], slot[:, x0 + width :]):
        border[:] = FILL


def _interpolation(picture_bgr: npt.NDArray[np.uint8], width: int) -> int:
    """Areas where many pixels become one; up to two to one, between neighbours, as the network was trained."""
    return cv2.INTER_AREA if picture_bgr.shape[1] > 2 * width else cv2.INTER_LINEAR


def _scaled(picture_px: SizePx, scale: float) -> SizePx:
    return max(1, round(picture_px[0] * scale)), max(1, round(picture_px[1] * scale))


def _place(picture_px: SizePx, placed_px: SizePx, input_px: SizePx, *, is_centred: bool) -> Letterbox:
    spare = (input_px[0] - placed_px[0], input_px[1] - placed_px[1])
    return Letterbox(
        picture_px=picture_px,
        input_px=input_px,
        placed_px=placed_px,
        offset_px=(spare[0] // 2, spare[1] // 2) if is_centred else (0, 0),
    )
