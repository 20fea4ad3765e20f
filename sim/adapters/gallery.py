"""One moment of a scenario in several weathers, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from sim.drawing.painter import StreetPainter
from sim.scenario import Scenario, ScenarioError
from sim.street.weather import Weather

_COLUMNS = 2
_GAP_PX = 6
_QUALITY = 90


def write_gallery(
    scenario: Scenario,
    out: Path,
    *,
    camera_id: str | None,
    second: float,
    weathers: Sequence[Weather],
    file: str = "scenario.toml",
) -> None:
    """Write a JPEG of what one camera sees at a second, two weathers in a row. Raises ScenarioError, OSError."""
    camera = next((part for part in scenario.cameras if camera_id in (None, part.id)), None)
    if camera is None:
        known = ", ".join(part.id for part in scenario.cameras)
        raise ScenarioError(file, "cameras", f"there is no camera {camera_id!r}; there are {known or 'none'}")
    painter = StreetPainter(scenario.built_street(), camera.pinhole(), seed=scenario.seed)
    bodies = scenario.built_world().bodies_at(second)
    pictures = [painter.draw(bodies, weather=weather, second=second).image for weather in weathers]
    out.parent.mkdir(parents=True, exist_ok=True)
    done, encoded = cv2.imencode(".jpg", _tiled(pictures), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise RuntimeError("the gallery could not be encoded as JPEG")
    out.write_bytes(encoded.tobytes())


def _tiled(pictures: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> cv2.typing.MatLike:
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // _COLUMNS)
    columns = min(_COLUMNS, len(pictures))
    sheet = np.full((rows * (height + _GAP_PX) - _GAP_PX, columns * (width + _GAP_PX) - _GAP_PX, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = (number // _COLUMNS) * (height + _GAP_PX), (number % _COLUMNS) * (width + _GAP_PX)
        sheet[top : top + height, left : left + width] = picture
    return sheet
