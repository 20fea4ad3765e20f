"""The one-camera site's camera as an exact pinhole, written anew from its README.md, and boxes of solid things."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from detectors.classes import ClassTable, load_classes
from detectors.messages import FrameDetections
from geofence.adapters.site_folder import load_site
from geofence.judge import CameraState, judge_frame
from geofence.messages import IncidentEvent
from geofence.site import Site
from tests.sites import ONE_CAMERA

Box = tuple[float, float, float, float]

NOON = datetime(2026, 5, 1, 4, 0, 0, tzinfo=UTC)  # 12:00 in Shanghai


@dataclass(frozen=True)
class Pinhole:
    """A camera over flat ground; local metres x right, y forward, z up, from the foot of its mast."""

    height_m: float = 5.5
    tilt_deg: float = 20.0
    focal_px: float = 800.0
    heading_deg: float = 8.0
    size_px: tuple[int, int] = (960, 540)
    east_m: float = 0.0
    north_m: float = 0.0

    def local_to_pixel(self, x_m: float, y_m: float, z_m: float = 0.0) -> tuple[float, float]:
        tilt = math.radians(self.tilt_deg)
        drop_m = self.height_m - z_m
        depth_m = y_m * math.cos(tilt) + drop_m * math.sin(tilt)
        right = self.focal_px * x_m / depth_m
        down = self.focal_px * (drop_m * math.cos(tilt) - y_m * math.sin(tilt)) / depth_m
        return self.size_px[0] / 2 + right, self.size_px[1] / 2 + down

    def local_to_ground(self, x_m: float, y_m: float) -> tuple[float, float]:
        heading = math.radians(self.heading_deg)
        return (
            self.east_m + x_m * math.cos(heading) + y_m * math.sin(heading),
            self.north_m - x_m * math.sin(heading) + y_m * math.cos(heading),
        )

    def box_of(self, x_m: float, y_m: float, across_m: float, along_m: float, height_m: float) -> Box:
        """The box around a solid thing whose near side is centred at (x, y), cut by the picture's edges."""
        corners = [
            self.local_to_pixel(x_m + dx, y_m + dy, z)
            for dx in (-across_m / 2, across_m / 2)
            for dy in (0.0, along_m)
            for z in (0.0, height_m)
        ]
        across, down = [c[0] for c in corners], [c[1] for c in corners]
        width, height = self.size_px
        return max(0.0, min(across)), max(0.0, min(down)), min(float(width), max(across)), min(float(height), max(down))


@dataclass(frozen=True)
class Seen:
    """One detection for a test."""

    name: str
    xyxy: Box
    confidence: float = 0.8


def at_half_size(seen: Seen) -> Seen:
    """The same detection in a picture of half the width and height."""
    x0, y0, x1, y1 = seen.xyxy
    return replace(seen, xyxy=(x0 / 2, y0 / 2, x1 / 2, y1 / 2))


def frame_of(*seen: Seen, size_px: tuple[int, int] = (960, 540)) -> FrameDetections:
    classes = load_classes()
    return FrameDetections(
        xyxy=np.array([one.xyxy for one in seen], np.float32).reshape(-1, 4),
        confidence=np.array([one.confidence for one in seen], np.float32),
        class_id=np.array([classes.by_name[one.name].id for one in seen], np.int32),
        size_px=size_px,
    )


@dataclass
class Watch:
    """A camera of a site that is judged frame by frame; keeps the state and all events."""

    site: Site
    camera_id: str = "cam-01"

    def __post_init__(self) -> None:
        self.state = CameraState()
        self.events: list[IncidentEvent] = []

    def see(self, second: float, *seen: Seen, size_px: tuple[int, int] = (960, 540)) -> tuple[IncidentEvent, ...]:
        """Judge one frame at `second` after noon."""
        at = NOON + timedelta(seconds=second)
        frame = frame_of(*seen, size_px=size_px)
        self.state, events = judge_frame(self.site, self.camera_id, at, frame, self.state)
        self.events.extend(events)
        return events

    def see_every(self, seconds: Sequence[float], *seen: Seen) -> list[IncidentEvent]:
        """Judge the same picture at many times."""
        return [event for second in seconds for event in self.see(second, *seen)]

    @property
    def story(self) -> list[tuple[str, str]]:
        """(event, kind) of everything so far."""
        return [(event.event.value, event.kind.value) for event in self.events]


@pytest.fixture(scope="session")
def small_site() -> Site:
    return load_site(ONE_CAMERA)


@pytest.fixture(scope="session")
def mast_camera(small_site: Site) -> Pinhole:
    """The pinhole of `cam-01`, standing where README.md says, on the site's plane."""
    foot: npt.NDArray[np.float64] = small_site.plane.to_ground(np.array([[39.9151351, 116.4110263]]))
    return Pinhole(east_m=float(foot[0, 0]), north_m=float(foot[0, 1]))


@pytest.fixture
def watch(small_site: Site) -> Watch:
    return Watch(small_site)


@pytest.fixture(scope="session")
def class_table() -> ClassTable:
    return load_classes()
