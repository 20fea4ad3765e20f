"""Real pictures, where they are at hand: a queueing street alarms nobody, a heap of garbage is one order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sim.devices.exif import stamp_jpeg
from sim.street.pinhole import PinholeCamera
from tests.e2e.pinhole_site import write_pinhole_site

if TYPE_CHECKING:
    from tests.e2e.conftest import Street

DATA = Path(__file__).parents[3] / "shared" / "data"
TRAFFIC = DATA / "street-camera" / "frames"
GARBAGE = DATA / "street-objects" / "garbage" / "val"
FRAMES_PER_S = 5
CAMERA_TOPIC = "cameras/cam-01/frame"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real pictures at {DATA}")


def _send(street: Street, jpegs: list[bytes], *, frames_per_s: float) -> None:
    """One camera's frames in order, the last one taken now, no more at a time than may wait."""
    first = datetime.now(UTC) - timedelta(seconds=len(jpegs) / frames_per_s)
    for start in range(0, len(jpegs), 8):
        part = [
            (CAMERA_TOPIC, stamp_jpeg(jpeg, first + timedelta(seconds=number / frames_per_s)))
            for number, jpeg in enumerate(jpegs[start : start + 8], start=start)
        ]
        street.publish(part)
        done = start + len(part)
        street.wait_for(lambda done=done: street.counts().get("frames_inferred", 0) >= done, f"frame {done}")  # type: ignore[misc]


@needs_data
def test_499_frames_of_heavy_traffic_are_all_judged_and_alarm_nobody(street: Street, tmp_path: Path) -> None:
    camera = PinholeCamera(size_px=(640, 360), focal_px=520, height_m=7, tilt_deg=13)
    road = {"road": ("no_parking", (-25.0, 8.0, 30.0, 120.0))}
    street.site = str(write_pinhole_site(tmp_path / "site", camera, road, {"illegal_parking": 300}))
    street.start_centre()
    street.start_gateway()
    _send(street, [path.read_bytes() for path in sorted(TRAFFIC.glob("*.jpg"))], frames_per_s=FRAMES_PER_S)
    counts = street.counts()
    assert counts["frames_inferred"] + counts.get("frames_dropped_by_policy", 0) == counts["stored"] == 499
    assert counts["detections"] > 499
    assert counts.get("incident_events", 0) == 0
    assert street.orders() == []


@needs_data
@pytest.mark.parametrize(("picture", "orders"), [("garbage_f17a9aa38f2c.jpg", 1), ("garbage_0ebddcc014b9.jpg", 0)])
def test_a_photograph_as_a_fixed_camera(street: Street, tmp_path: Path, *, picture: str, orders: int) -> None:
    camera = PinholeCamera(size_px=(416, 416), focal_px=400, height_m=3, tilt_deg=28)
    ground = {"ground": ("street", (-20.0, 1.5, 20.0, 60.0))}
    street.site = str(write_pinhole_site(tmp_path / "site", camera, ground, {"exposed_garbage": 60}))
    street.start_centre()
    street.start_gateway()
    jpeg = (GARBAGE / "images" / picture).read_bytes()
    _send(street, [jpeg] * 80, frames_per_s=1)
    if orders:
        street.wait_for(street.orders, "the order")
    found = street.orders()
    assert [order["kind"] for order in found] == ["exposed_garbage"] * orders
    for order in found:
        case = street.api(f"/api/orders/{order['case_no']}")
        assert len(case["evidence"]) >= 1
        assert "frames_dropped_by_policy" not in street.counts()
