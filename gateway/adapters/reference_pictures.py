"""What a calibrated camera saw: a small grey picture per camera in the site folder, by which a shift is noticed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detectors.view_shift import Grey, shrunk
from gateway.errors import ConfigError

FOLDER = "reference"


def save_reference(site_folder: Path, camera_id: str, picture_bgr: Grey) -> Path:
    """Store the picture (H, W, 3) as the camera's reference, grey and at most 640 pixels wide."""
    file = site_folder / FOLDER / f"{camera_id}.png"
    file.parent.mkdir(exist_ok=True)
    coded, data = cv2.imencode(".png", shrunk(picture_bgr))
    assert coded, "a grey picture can always be written as PNG"
    file.write_bytes(data.tobytes())
    return file


def load_reference(site_folder: Path, camera_id: str) -> Grey | None:
    """The camera's reference (H, W), None if the site has none; raises ConfigError for a file that is no picture."""
    file = site_folder / FOLDER / f"{camera_id}.png"
    if not file.is_file():
        return None
    picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ConfigError(f"{file} is no picture; save it again with `street721 calibrate --save-reference`")
    return shrunk(np.asarray(picture, np.uint8))
