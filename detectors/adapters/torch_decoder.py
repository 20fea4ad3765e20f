"""JPEGs decoded, shrunk and placed in a batch by torch: on an NVIDIA GPU by its own decoder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from detectors.glance import COLUMNS, ROWS
from detectors.letterbox import FILL, Letterbox, SizePx

_REDUCTIONS = (8, 4, 2)
_AT_ONCE = 8
"""Pictures whose pixels are floats at the same time: 200 MB at 1080p, which a small GPU has to spare."""


class TorchDecoder:
    """JPEG bytes → a batch of bytes as the network's other pictures are: (N, h, w, 3) BGR, grey around them.

    What a processor decodes at a half, a quarter or an eighth is decoded whole here and averaged over as many pixels,
    so that a network sees the same. torchvision 0.29, the locked one, calls its decoder deprecated in favour of
    torchcodec, whose builds for GPUs come from an index of their own.
    """

    def __init__(self, torch: Any, device: Any) -> None:
        """Raises ImportError where torchvision is missing, RuntimeError where it has no decoder for the device."""
        from torchvision.io import ImageReadMode, decode_jpeg  # noqa: PLC0415  comes with the extra

        self._torch = torch
        self._device = device
        self._decode = decode_jpeg
        self._rgb = ImageReadMode.RGB
        self._decode_all([cv2.imencode(".jpg", np.full((16, 16, 3), FILL, np.uint8))[1].tobytes()])

    def batch(self, jpegs: Sequence[bytes], letterboxes: Sequence[Letterbox]) -> tuple[Any, Any]:
        """Pictures of one input size → (N, h, w, 3) and their glances (N, rows, columns, 3), uint8 on the device.

        Raises RuntimeError when one of them cannot be decoded.
        """
        pictures = self._decode_all(jpegs)
        width, height = letterboxes[0].input_px
        batch = self._torch.full((len(jpegs), height, width, 3), FILL, dtype=self._torch.uint8, device=self._device)
        glances = self._torch.empty((len(jpegs), ROWS, COLUMNS, 3), dtype=self._torch.uint8, device=self._device)
        alike: dict[tuple[tuple[int, ...], SizePx, SizePx], list[int]] = defaultdict(list)
        for row, (picture, letterbox) in enumerate(zip(pictures, letterboxes, strict=True)):
            alike[(tuple(picture.shape), letterbox.placed_px, letterbox.offset_px)].append(row)
        for (shape, placed_px, (x0, y0)), rows in alike.items():
            if shape[1:] != letterboxes[rows[0]].picture_px[::-1]:
                raise RuntimeError(f"decoded {shape}, the header says {letterboxes[rows[0]].picture_px}")
            for few in (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)):
                small = self._reduced(self._torch.stack([pictures[row] for row in few]), placed_px)
                glances[few] = self._glances(small)
                placed = self._resized(small, placed_px)
                batch[few, y0 : y0 + placed_px[1], x0 : x0 + placed_px[0]] = placed.flip(1).permute(0, 2, 3, 1)
        return batch, glances

    def _decode_all(self, jpegs: Sequence[bytes]) -> list[Any]:
        """(3, H, W) RGB each, on the device."""
        raw = [self._torch.from_numpy(np.frombuffer(jpeg, np.uint8).copy()) for jpeg in jpegs]
        return list(self._decode(raw, mode=self._rgb, device=self._device))

    def _reduced(self, pictures: Any, placed_px: SizePx) -> Any:
        """Averages of 8 × 8, 4 × 4 or 2 × 2 pixels, whichever still covers what is needed: (N, 3, H, W) uint8."""
        height, width = pictures.shape[2:]
        for factor in _REDUCTIONS:
            if width // factor >= placed_px[0] and height // factor >= placed_px[1]:
                means = self._torch.nn.functional.avg_pool2d(pictures.float(), factor, ceil_mode=True)
                return means.round_().to(self._torch.uint8)
        return pictures

    def _resized(self, pictures: Any, placed_px: SizePx) -> Any:
        if tuple(pictures.shape[2:]) == placed_px[::-1]:
            return pictures
        resized = self._torch.nn.functional.interpolate(
            pictures.float(), size=placed_px[::-1], mode="bilinear", align_corners=False
        )
        return resized.round_().clamp_(0, 255).to(self._torch.uint8)

    def _glances(self, pictures: Any) -> Any:
        """See `detectors.glance.glance_of`: (N, rows, columns, 3) BGR."""
        height, width = pictures.shape[2:]
        rows = self._torch.as_tensor((2 * np.arange(ROWS) + 1) * height // (2 * ROWS), device=self._device)
        columns = self._torch.as_tensor((2 * np.arange(COLUMNS) + 1) * width // (2 * COLUMNS), device=self._device)
        return pictures[:, :, rows[:, None], columns[None]].flip(1).permute(0, 2, 3, 1)
