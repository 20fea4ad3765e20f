"""Things without a name join the detections of cameras with a clean street, and are still known after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors import FrameDetections
from detectors.classes import load_classes
from detectors.view_shift import shrunk
from gateway.adapters.state_store import create_tables
from gateway.unknown_watch import UNKNOWN_OBJECT, UnknownWatch
from geofence.adapters.site_folder import load_site
from geofence.judge import CameraState, judge_frame
from geofence.messages import EventType, IncidentKind
from geofence.places import ZoneKind
from geofence.site import Site
from ingest.adapters.spool import Spool
from ingest.config import SpoolSettings
from ingest.messages import CameraId, Frame, TimeSource
from tests.drawn_street import DrawnStreet
from tests.geofence.conftest import Pinhole
from tests.sites import ONE_CAMERA

U8 = npt.NDArray[np.uint8]
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
CAMERA = "cam-01"
CLASSES = load_classes()


@pytest.fixture(scope="module")
def street() -> U8:
    return np.asarray(DrawnStreet().frame().image, np.uint8)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(SpoolSettings(file=tmp_path / "spool.db")) as opened:
        with opened.transaction() as transaction:
            create_tables(transaction.connection)
        yield opened


@pytest.fixture(scope="module")
def small_site() -> Site:
    return load_site(ONE_CAMERA)


def place_of(street: U8) -> tuple[int, int, int, int]:
    height, width = street.shape[:2]
    return width // 2, height // 2, width // 2 + width // 8, height // 2 + height // 6


def with_thing(street: U8) -> U8:
    x0, y0, x1, y1 = place_of(street)
    after = street.copy()
    after[y0:y1, x0:x1] = (30, 60, 200)
    cv2.line(after, (x0, y0), (x1, y1), (240, 240, 240), 9)
    return after


def frame_of(picture: U8, second: int) -> Frame:
    at = BEGAN + timedelta(seconds=second)
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return Frame(
        camera_id=CameraId(CAMERA),
        captured_at=at,
        received_at=at,
        time_source=TimeSource.DEVICE,
        size_px=(picture.shape[1], picture.shape[0]),
        jpeg=jpeg,
    )


def nothing_in(picture: U8) -> FrameDetections:
    return FrameDetections.empty((picture.shape[1], picture.shape[0]))


def looked_at(watch: UnknownWatch, picture: U8, seconds: range) -> FrameDetections:
    found = nothing_in(picture)
    for second in seconds:
        found = watch.joined(frame_of(picture, second), nothing_in(picture))
    return found


def test_what_stays_before_the_clean_street_is_an_unknown_object(spool: Spool, street: U8) -> None:
    watch = UnknownWatch(spool, {CAMERA: shrunk(street)}, CLASSES)
    assert len(looked_at(watch, street, range(0, 40, 2))) == 0
    found = looked_at(watch, with_thing(street), range(40, 80, 2))
    assert found.class_id.tolist() == [CLASSES.by_name[UNKNOWN_OBJECT].id]
    x0, y0, x1, y1 = place_of(street)
    assert found.xyxy[0] == pytest.approx([x0, y0, x1, y1], abs=0.04 * street.shape[1])


def test_a_camera_without_a_clean_street_is_left_alone(spool: Spool, street: U8) -> None:
    watch = UnknownWatch(spool, {}, CLASSES)
    assert len(looked_at(watch, with_thing(street), range(0, 60, 2))) == 0


def test_a_restart_forgets_nothing_and_a_new_picture_begins_anew(spool: Spool, street: U8) -> None:
    watch = UnknownWatch(spool, {CAMERA: shrunk(street)}, CLASSES)
    looked_at(watch, with_thing(street), range(0, 40, 2))
    with spool.transaction() as transaction:
        watch.save(transaction)
    again = UnknownWatch(spool, {CAMERA: shrunk(street)}, CLASSES)
    assert len(looked_at(again, with_thing(street), range(40, 42, 2))) == 1
    other = UnknownWatch(spool, {CAMERA: shrunk(np.asarray(street[:, ::-1], np.uint8))}, CLASSES)
    assert len(looked_at(other, with_thing(street), range(40, 42, 2))) == 0


@pytest.mark.parametrize(("wide_m", "aside_m", "is_told"), [(2.2, 0.0, True), (0.9, -1.0, False), (0.9, 0.0, True)])
def test_a_thing_without_a_name_across_the_sidewalk_is_one_incident(
    spool: Spool, small_site: Site, wide_m: float, aside_m: float, is_told: bool
) -> None:
    """The sidewalk is 3 m wide and 1.5 m must stay free; the thing lies `aside_m` from its middle."""
    pavement = np.full((540, 960, 3), 130, np.uint8)
    pavement[::45] = 95
    pavement[:, ::60] = 100
    middle_m = sidewalk_middle_m(small_site)
    x0, y0, x1, y1 = (round(side) for side in Pinhole().box_of(middle_m + aside_m, 13.0, wide_m, 1.0, 0.9))
    blocked = pavement.copy()
    blocked[y0:y1, x0:x1] = (40, 70, 110)
    cv2.rectangle(blocked, (x0, y0), (x1 - 1, y1 - 1), (220, 230, 240), 6)
    watch, state, told = UnknownWatch(spool, {CAMERA: shrunk(pavement)}, CLASSES), CameraState(), []
    for second in range(0, 240, 2):
        picture = blocked if 20 <= second < 160 else pavement
        frame = frame_of(picture, second)
        state, events = judge_frame(
            small_site, CAMERA, frame.captured_at, watch.joined(frame, nothing_in(picture)), state
        )
        told += [(event.event, event.kind, event.subject) for event in events if event.event != EventType.UPDATED]
    kind = IncidentKind.BLOCKED_SIDEWALK
    both = [(EventType.OPENED, kind, UNKNOWN_OBJECT), (EventType.CLEARED, kind, UNKNOWN_OBJECT)]
    assert told == (both if is_told else [])


def sidewalk_middle_m(site: Site) -> float:
    """Metres to the right of the mast at which the sidewalk's middle lies, 13 m ahead."""
    lows_highs = [
        x
        for x in np.arange(-8, 8, 0.02)
        if any(
            site.zones.zones[int(zone)].kind == ZoneKind.SIDEWALK
            for zone in site.zones.containing(ground_of(site, float(x)))[1]
        )
    ]
    return float(np.mean(lows_highs))


def ground_of(site: Site, x_m: float) -> npt.NDArray[np.float64]:
    """(1, 2) [east, north] of the place `x_m` right of the mast and 13 m ahead."""
    camera = site.cameras[CAMERA]
    return camera.homography.pixel_to_ground(np.array([Pinhole().local_to_pixel(x_m, 13.0)]))
