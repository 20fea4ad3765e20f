"""The simulator's EXIF writer is read by the product's own reader, which was written apart from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.jpeg import check_jpeg
from sim.devices.exif import stamp_jpeg

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),
    offset_min=st.integers(-12 * 60, 14 * 60),
)
def test_the_time_is_read_back_to_the_microsecond(moment: datetime, offset_min: int) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert check_jpeg(stamp_jpeg(JPEG, written)).captured_at == written


def test_the_picture_stays_the_same() -> None:
    stamped = stamp_jpeg(JPEG, datetime(2026, 11, 22, tzinfo=UTC))
    pixels = cv2.imdecode(np.frombuffer(stamped, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (48, 64, 3)


def test_what_is_not_a_jpeg_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JPEG"):
        stamp_jpeg(b"GIF89a", datetime(2026, 11, 22, tzinfo=UTC))
