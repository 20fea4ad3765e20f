"""The truth as lines of JSON: what every frame shows, and what is really wrong on the street.

truth.jsonl       one line per frame: every object with class, box, visible fraction, footprint and cell
detections.jsonl  the same frames as a faultless detector would report them, for `street721 judge`
events.jsonl      one line per true incident
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.devices.filming import Shot
from sim.drawing.painter import Shown
from sim.moments import moment_after
from sim.street.earth import EarthFrame, UnitGrid
from sim.street.pinhole import PinholeCamera
from sim.street.referee import TrueIncident

Float64s = npt.NDArray[np.float64]

# A thing of which less is to be seen, or smaller than this, no detector is asked for.
MIN_VISIBLE = 0.3
MIN_SIDE_PX = 8.0
DETECTOR_CLASSES = frozenset(
    {"person", "bicycle", "car", "motorcycle", "bus", "truck", "garbage", "garbage_bin", "overflow"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthWriter:
    """Words the truth of one scenario; begins_at is the time at second 0."""

    frame: EarthFrame
    grid: UnitGrid
    begins_at: datetime

    def time_of(self, second: float) -> datetime:
        """The time at a second of the run, to the microsecond, in the zone of begins_at."""
        return moment_after(self.begins_at, second)

    def frame_line(self, camera_id: str, shot: Shot, *, images: Sequence[str]) -> str:
        """One line of truth.jsonl; images: names of the pictures that left the camera at this moment."""
        row = {
            "camera_id": camera_id,
            "images": list(images),
            "captured_at": self.time_of(shot.second).isoformat(),
            "second": round(shot.second, 3),
            "weather": shot.weather.value,
            "faults": list(shot.faults),
            "size_px": list(shot.pose.size_px),
            "objects": self._objects(shot.pose, shot.shown),
        }
        return json.dumps(row, ensure_ascii=False)

    def detection_lines(self, camera_id: str, shot: Shot) -> list[str]:
        """Lines of detections.jsonl, one per readable picture that left the camera at this moment."""
        return [
            json.dumps(
                {
                    "camera_id": camera_id,
                    "captured_at": self.time_of(captured_s).isoformat(),
                    "detections": [
                        {"class": item.body.class_name, "confidence": 1.0, "xyxy": _rounded(item.xyxy, 2)}
                        for item in shown
                        if is_fair(item)
                    ],
                },
                ensure_ascii=False,
            )
            for captured_s, shown in shot.readable
        ]

    def event_line(self, number: int, incident: TrueIncident) -> str:
        """One line of events.jsonl."""
        place = self.frame.to_lat_lng(np.array([(incident.x_m, incident.y_m)]))
        row = {
            "id": f"truth-{number:04d}",
            "kind": incident.kind,
            "also": list(incident.also),
            "lat": round(float(place[0, 0]), 8),
            "lng": round(float(place[0, 1]), 8),
            "cell": self.grid.cells_at(place)[0],
            "zone": incident.zone_id,
            "subject": incident.subject,
            "actors": list(incident.actors),
            "sources": list(incident.sources),
            "began_at": self._iso(incident.began_s),
            "due_at": self._iso(incident.due_s),
            "ended_at": self._iso(incident.ended_s),
        }
        return json.dumps(row, ensure_ascii=False)

    def _iso(self, second: float | None) -> str | None:
        return None if second is None else self.time_of(second).isoformat()

    def _objects(self, camera: PinholeCamera, shown: Sequence[Shown]) -> list[dict[str, Any]]:
        if not shown:
            return []
        corners_m = np.stack([item.body.footprint_m() for item in shown])
        corners = self.frame.to_lat_lng(corners_m.reshape(-1, 2)).reshape(-1, 4, 2)
        middles = self.frame.to_lat_lng(np.array([(item.body.x_m, item.body.y_m) for item in shown]))
        ground_m = np.column_stack((corners_m.reshape(-1, 2), np.zeros(4 * len(shown))))
        corners_px = camera.project(ground_m).reshape(-1, 4, 2)
        cells = self.grid.cells_at(middles)
        return [
            {
                "actor": item.body.id,
                "kind": item.body.kind.value,
                "class": item.body.class_name,
                "xyxy": _rounded(item.xyxy, 2),
                "full_xyxy": _rounded(item.full_xyxy, 2),
                "visible_fraction": round(item.visible_fraction, 3),
                "lat": round(float(middles[row, 0]), 8),
                "lng": round(float(middles[row, 1]), 8),
                "cell": cells[row],
                "heading_deg": round(item.body.heading_deg, 2),
                "footprint": [{"lat": lat, "lng": lng} for lat, lng in np.round(corners[row], 9).tolist()],
                "footprint_px": _pixels(corners_px[row]),
                "is_standing": item.body.speed_mps == 0,
            }
            for row, item in enumerate(shown)
        ]


def is_fair(item: Shown) -> bool:
    """Whether a detector can be asked to find this."""
    x0, y0, x1, y1 = item.xyxy
    is_large = min(x1 - x0, y1 - y0) >= MIN_SIDE_PX
    return item.body.class_name in DETECTOR_CLASSES and item.visible_fraction >= MIN_VISIBLE and is_large


def _rounded(values: Iterable[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]


def _pixels(corners_px: Float64s) -> list[list[float]] | None:
    """Where the footprint's corners are in the picture's plane, also outside of it; None behind the camera."""
    return np.round(corners_px, 4).tolist() if np.isfinite(corners_px).all() else None
