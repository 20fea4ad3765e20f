"""What a calibrated camera saw: a small grey picture per camera in the site folder, by which a shift is noticed."""

from __future__ import annotations

from collections.abc import Iterable
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


def load_references(site_folder: Path, camera_ids: Iterable[str]) -> dict[str, Grey]:
    """The reference (H, W) of every camera that has one; raises ConfigError for what is no picture."""
    files = {camera_id: site_folder / FOLDER / f"{camera_id}.png" for camera_id in camera_ids}
    return {camera_id: _load(file) for camera_id, file in files.items() if file.is_file()}


def _load(file: Path) -> Grey:
    try:
        coded = np.frombuffer(file.read_bytes() or b"\0", np.uint8)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    picture = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ConfigError(f"{file} is no picture; save it again with `street721 calibrate --save-reference`")
    return shrunk(np.asarray(picture, np.uint8))
