"""How a network wants its numbers: order of the colours and their range. Cameras and batches hold BGR bytes."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]


class PixelForm(StrEnum):
    """What stands in the network's input (N, 3, h, w); an engine makes it out of bytes, best inside its own graph."""

    RGB_UNIT = "rgb_unit"
    """red, green, blue in 0..1"""

    BGR_BYTES = "bgr_bytes"
    """blue, green, red in 0..255"""


def as_network_input(pictures: U8, form: PixelForm) -> F32:
    """Pictures (N, h, w, 3) BGR bytes → (N, 3, h, w) float32, for an engine that cannot do it itself."""
    planes = pictures.transpose(0, 3, 1, 2)
    if form is PixelForm.BGR_BYTES:
        return np.ascontiguousarray(planes, np.float32)
    return np.multiply(planes[:, ::-1], np.float32(1 / 255), dtype=np.float32, order="C")
