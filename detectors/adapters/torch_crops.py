"""Grey pixels of boxes, fetched by torch where the pictures lie: only a kilobyte a box comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.appearance import CROP_PX

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

_BGR_TO_GREY = (0.114, 0.587, 0.299)


def torch_crops(torch: Any, pictures: Any, owner: Rows, xyxy: F32) -> U8:
    """What `detectors.appearance.crops` makes of pictures (P, h, w, 3) BGR bytes on a device, to a grey level."""
    height, width = pictures.shape[1:3]
    device = pictures.device
    boxes = torch.as_tensor(xyxy, device=device)
    place = torch.as_tensor(owner, device=device)[:, None, None]
    steps = (torch.arange(CROP_PX, device=device, dtype=torch.float32) + 0.5) / CROP_PX
    across = boxes[:, 0:1] + (boxes[:, 2:3] - boxes[:, 0:1]) * steps - 0.5
    down = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * steps - 0.5
    left, top = across.floor(), down.floor()
    right_share = (across - left)[:, None, :, None]
    lower_share = (down - top)[:, :, None, None]
    columns = [(left + n).long().clamp(0, width - 1)[:, None, :] for n in (0, 1)]
    rows = [(top + n).long().clamp(0, height - 1)[:, :, None] for n in (0, 1)]
    lines = [
        pictures[place, row, columns[0]].float() * (1 - right_share)
        + pictures[place, row, columns[1]].float() * right_share
        for row in rows
    ]
    bgr = lines[0] * (1 - lower_share) + lines[1] * lower_share
    weights = torch.tensor(_BGR_TO_GREY, device=device)
    grey = (bgr * weights).sum(dim=-1).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(grey.cpu().numpy(), np.uint8)
