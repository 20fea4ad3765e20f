"""A camera that was knocked: reported, its rules at rest, until it looks as before or is calibrated anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from structlog.testing import capture_logs

from detectors import FrameDetections
from detectors.glance import glance_of
from detectors.view_shift import shrunk
from gateway.adapters.reference_pictures import load_references, save_reference
from gateway.adapters.state_store import create_tables, load_states
from gateway.camera_watch import CameraWatch
from gateway.errors import ConfigError
from gateway.shift_watch import ShiftWatch
from ingest.adapters.spool import Spool
from ingest.config import SpoolSettings
from ingest.messages import CameraId, Frame, TimeSource
from tests.drawn_street import DrawnStreet

U8 = npt.NDArray[np.uint8]
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
CAMERA = "cam-01"


@pytest.fixture(scope="module")
def street() -> U8:
    return np.asarray(DrawnStreet().frame().image, np.uint8)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(SpoolSettings(file=tmp_path / "spool.db")) as opened:
        with opened.transaction() as transaction:
            create_tables(transaction.connection)
        yield opened


class Watched:
    """A camera that is looked at twice a second; `knock_px` moves its view across, in pixels of a picture 640 wide."""

    def __init__(
        self,
        spool: Spool,
        street: U8,
        *,
        words: str = "gcps",
        references: dict[str, U8] | None = None,
        second: float = 0,
    ) -> None:
        self._spool = spool
        self._street = street
        self.second = second
        self.watch = CameraWatch(
            spool, {CAMERA: words}, clock=lambda: self.second, now=self._now, references=references
        )

    def see(self, seconds: float, *, knock_px: float = 0.0) -> list[bool]:
        """Whether the rules saw each picture."""
        seen = []
        for _ in range(round(2 * seconds)):
            self.second += 0.5
            picture = self._picture(knock_px)
            size_px = (picture.shape[1], picture.shape[0])
            frame = Frame(
                camera_id=CameraId(CAMERA),
                captured_at=self._now(),
                received_at=self._now(),
                time_source=TimeSource.DEVICE,
                size_px=size_px,
                jpeg=cv2.imencode(".jpg", picture)[1].tobytes(),
            )
            found = FrameDetections.empty(size_px)
            object.__setattr__(found, "glance", glance_of(picture))
            seen.append(self.watch.look(frame, found, None) is not None)
            with self._spool.transaction() as transaction:
                self.watch.save(transaction)
        return seen

    @property
    def state(self) -> str:
        """As the health page says it."""
        return str(self.watch.as_json()[CAMERA]["state"])

    def _now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.second)

    def _picture(self, knock_px: float) -> U8:
        way = np.array([(1.0, 0.0, knock_px * self._street.shape[1] / 640), (0.0, 1.0, 0.0)])
        height, width = self._street.shape[:2]
        moved = cv2.warpAffine(self._street, way, (width, height), borderMode=cv2.BORDER_REFLECT).astype(np.int16)
        noise = np.random.default_rng(round(2 * self.second)).integers(-2, 3, moved.shape)
        return np.asarray(np.clip(moved + noise, 0, 255), np.uint8)


def test_a_knocked_camera_is_reported_and_its_rules_rest_until_it_looks_as_before(spool: Spool, street: U8) -> None:
    camera = Watched(spool, street)
    with capture_logs() as logs:
        assert all(camera.see(30))
        assert camera.state == "ok"
        seen = camera.see(31, knock_px=8)
        assert not seen[-1]
        assert camera.state == "shifted"
        assert not any(camera.see(30, knock_px=8))
        camera.see(31)
        assert camera.state == "ok"
        assert all(camera.see(5))
    assert [line["event"] for line in logs] == ["camera_reference_taken", "camera_view", "camera_view_ok"]
    told = logs[1]
    assert (told["log_level"], told["camera_id"], told["problem"]) == ("warning", CAMERA, "shifted")
    assert told["shift_share"] == pytest.approx(8 / 640, rel=0.1)
    assert logs[2]["was"] == "shifted"


def test_two_pixels_are_no_shift(spool: Spool, street: U8) -> None:
    camera = Watched(spool, street)
    assert all(camera.see(20))
    assert all(camera.see(60, knock_px=2))
    assert camera.state == "ok"


def test_a_restart_forgets_neither_the_reference_nor_the_shift(spool: Spool, street: U8) -> None:
    Watched(spool, street).see(20)
    knocked = Watched(spool, street, second=20)
    assert knocked.see(12, knock_px=12)[-1] is False
    again = Watched(spool, street, second=40)
    assert again.state == "shifted"
    assert not any(again.see(10, knock_px=12))


def test_a_new_calibration_begins_anew_and_forgets_the_old_reference(spool: Spool, street: U8) -> None:
    Watched(spool, street).see(20)
    Watched(spool, street, second=20).see(12, knock_px=12)
    anew = Watched(spool, street, words="other gcps", second=40)
    assert anew.state == "ok"
    assert all(anew.see(60, knock_px=12))
    assert list(load_states(spool, "shift:")) == [CAMERA]


def test_the_site_s_own_reference_holds_from_the_first_picture_on(spool: Spool, street: U8) -> None:
    camera = Watched(spool, street, references={CAMERA: shrunk(street)})
    assert camera.see(12, knock_px=12)[-1] is False
    moved = camera._picture(12)  # saved anew where the camera looks now
    anew = Watched(spool, street, references={CAMERA: shrunk(moved)}, second=20)
    assert anew.state == "ok"
    assert all(anew.see(30, knock_px=12))


def test_a_reference_is_kept_small_and_grey_in_the_site_folder(tmp_path: Path, street: U8) -> None:
    file = save_reference(tmp_path, CAMERA, street)
    assert file == tmp_path / "reference" / "cam-01.png"
    assert np.array_equal(load_references(tmp_path, [CAMERA, "cam-02"])[CAMERA], shrunk(street))
    assert load_references(tmp_path, ["cam-02"]) == {}
    file.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"cam-01\.png is no picture"):
        load_references(tmp_path, [CAMERA])


def test_cameras_are_not_compared_all_at_once(spool: Spool, street: U8) -> None:
    """Sixteen cameras that start together take their turns, a quarter of a second apart."""
    names = [f"cam-{number:02d}" for number in range(16)]
    now = [0.0]
    watch = ShiftWatch(spool, dict.fromkeys(names, ""), {}, clock=lambda: now[0])
    jpeg = cv2.imencode(".jpg", street)[1].tobytes()
    size_px = (street.shape[1], street.shape[0])
    with capture_logs() as logs:
        for tick in range(200):
            now[0] = tick * 0.1
            at = BEGAN + timedelta(seconds=now[0])
            before = len(logs)
            for name in names:
                frame = Frame(
                    camera_id=CameraId(name), captured_at=at, received_at=at, time_source=TimeSource.DEVICE,
                    size_px=size_px, jpeg=jpeg,
                )  # fmt: skip
                watch.look(frame, size_px)
            assert len(logs) - before <= 1
    assert sorted(line["camera_id"] for line in logs) == names
