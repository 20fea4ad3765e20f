from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import FrameLimits
from ingest.errors import PayloadError
from ingest.exif import read_exif_time, read_exif_turn
from ingest.jpeg import check_jpeg, decode_frame
from ingest.messages import CameraId, Frame, TimeSource
from ingest.reasons import Reason
from sim.devices.exif import stamp_jpeg

NOW = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
TAKEN_AT = datetime(2026, 3, 1, 7, 59, 58, 123_456, tzinfo=UTC)


def picture(width: int = 64, height: int = 48, *flags: int) -> bytes:
    pixels = np.random.default_rng(721).integers(0, 255, (height, width, 3), np.uint8)
    is_ok, encoded = cv2.imencode(".jpg", pixels, flags)
    assert is_ok
    return encoded.tobytes()


JPEG = picture()


def decode(payload: bytes, limits: FrameLimits | None = None) -> Frame:
    return decode_frame(payload, camera_id=CameraId("cam-01"), received_at=NOW, limits=limits or FrameLimits())


def refusal(payload: bytes, limits: FrameLimits | None = None) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        decode(payload, limits)
    assert "\n" not in str(caught.value)
    return caught.value


def with_header_size(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def exif_app1(order: str, tags: dict[int, bytes]) -> bytes:
    """An EXIF segment laid out by hand in either byte order."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    block = mark + struct.pack(f"{order}IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0)
    values_at = 26 + 2 + 12 * len(tags) + 4
    entries = values = b""
    for tag, value in sorted(tags.items()):
        inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{order}I", values_at + len(values))
        entries += struct.pack(f"{order}HHI", tag, 2, len(value)) + inline
        values += b"" if len(value) <= 4 else value
    block += struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + values
    body = b"Exif\0\0" + block
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def test_frame_holds_size_and_the_bytes_as_sent() -> None:
    frame = decode(JPEG)
    assert frame == Frame(
        camera_id=CameraId("cam-01"),
        captured_at=NOW,
        received_at=NOW,
        time_source=TimeSource.GATEWAY,
        size_px=(64, 48),
        jpeg=JPEG,
    )


@pytest.mark.parametrize("size", [(1, 1), (640, 360), (17, 1999)])
@pytest.mark.parametrize("progressive", [0, 1])
def test_size_is_what_opencv_decodes(size: tuple[int, int], progressive: int) -> None:
    payload = picture(*size, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, 3)
    pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert decode(payload).size_px == (pixels.shape[1], pixels.shape[0]) == size


def test_capture_time_comes_from_exif_to_the_microsecond() -> None:
    frame = decode(stamp_jpeg(JPEG, TAKEN_AT))
    assert (frame.captured_at, frame.time_source) == (TAKEN_AT, TimeSource.DEVICE)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("fraction", "microsecond"), [(b"", 0), (b"5\0", 500_000), (b"12\0", 120_000), (b"x", 0)])
def test_exif_of_either_byte_order_is_read(order: str, fraction: bytes, microsecond: int) -> None:
    tags = {0x9003: b"2026:03:01 15:59:58\0", 0x9011: b"+08:00\0"}
    if fraction:
        tags[0x9291] = fraction
    frame = decode(JPEG[:2] + exif_app1(order, tags) + JPEG[2:])
    assert frame.captured_at == datetime(2026, 3, 1, 7, 59, 58, microsecond, tzinfo=UTC)
    assert frame.time_source is TimeSource.DEVICE


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {0x9003: b"2026:03:01 07:59:58\0"},
        {0x9011: b"+08:00\0"},
        {0x9003: b"2026:03:01 07:59:58\0", 0x9011: b"      \0"},
        {0x9003: b"    :  :     :  :  \0", 0x9011: b"+08:00\0"},
        {0x9003: b"2026:13:01 07:59:58\0", 0x9011: b"+08:00\0"},
        {0x9003: b"0001:01:01 00:00:00\0", 0x9011: b"+14:00\0"},
    ],
)
def test_without_a_whole_time_and_offset_the_gateway_clock_counts(tags: dict[int, bytes]) -> None:
    frame = decode(JPEG[:2] + exif_app1(">", tags) + JPEG[2:])
    assert (frame.captured_at, frame.time_source) == (NOW, TimeSource.GATEWAY)


@pytest.mark.parametrize(("number", "is_turned"), [(0, False), (1, False), (3, True), (6, True), (8, True), (9, False)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_picture_says_whether_it_must_be_turned(order: str, number: int, *, is_turned: bool) -> None:
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    block = mark + struct.pack(f"{order}IHHHIH2x", 8, 1, 0x0112, 3, 1, number)
    assert read_exif_turn(block) is is_turned
    exif = b"Exif\0\0" + block
    app1 = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert check_jpeg(JPEG[:2] + app1 + JPEG[2:]).is_turned is is_turned
    assert not check_jpeg(JPEG).is_turned


def test_exif_time_is_what_opencv_finds() -> None:
    payload = stamp_jpeg(JPEG, TAKEN_AT.astimezone(timezone(timedelta(hours=8))))
    _, kinds, blocks = cv2.imdecodeWithMetadata(np.frombuffer(payload, np.uint8), flags=cv2.IMREAD_COLOR)
    exif = bytes(np.asarray(blocks[list(kinds).index(cv2.IMAGE_METADATA_EXIF)]).tobytes())
    assert read_exif_time(exif) == TAKEN_AT
    assert b"2026:03:01 15:59:58\0" in exif
    assert b"+08:00\0" in exif


@pytest.mark.parametrize("age_s", [7 * 86400 + 1, -301, 20_000 * 86400])
def test_picture_of_another_age_is_refused_with_both_clocks(age_s: int) -> None:
    error = refusal(stamp_jpeg(JPEG, NOW - timedelta(seconds=age_s)))
    assert error.reason == Reason.IMPLAUSIBLE_TIME
    assert "picture says" in error.detail
    assert "gateway clock says 2026-03-01T08:00:00Z" in error.detail


@given(st.integers(3, len(JPEG) - 3))
def test_picture_cut_anywhere_is_refused(kept: int) -> None:
    assert refusal(JPEG[:kept]).reason == Reason.TRUNCATED_JPEG


def test_end_of_a_thumbnail_is_not_the_end_of_the_picture() -> None:
    exif = b"Exif\0\0" + bytes(8) + picture(8, 8)
    payload = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert decode(payload).size_px == (64, 48)
    assert refusal(payload[: len(exif) + 300]).reason == Reason.TRUNCATED_JPEG


def test_padding_behind_the_end_is_tolerated_within_bounds() -> None:
    assert decode(JPEG + bytes(1000)).jpeg == JPEG + bytes(1000)
    assert refusal(JPEG + bytes(1100)).reason == Reason.TRUNCATED_JPEG


def test_header_of_100_megapixels_is_refused_undecoded() -> None:
    error = refusal(with_header_size(10_000, 10_000))
    assert error.reason == Reason.TOO_MANY_PIXELS
    assert "10000 x 10000" in error.detail


@pytest.mark.parametrize(("size", "is_taken"), [((8000, 5000), True), ((8001, 5000), False)])
def test_forty_megapixels_are_the_limit(size: tuple[int, int], is_taken: bool) -> None:
    if is_taken:
        assert decode(with_header_size(*size)).size_px == size
    else:
        assert refusal(with_header_size(*size)).reason == Reason.TOO_MANY_PIXELS


def test_limits_are_settings() -> None:
    assert refusal(JPEG, FrameLimits(max_pixels=64 * 48 - 1)).reason == Reason.TOO_MANY_PIXELS
    assert refusal(JPEG, FrameLimits(max_bytes=len(JPEG) - 1)).reason == Reason.TOO_LARGE
    assert decode(JPEG, FrameLimits(max_pixels=64 * 48, max_bytes=len(JPEG))).size_px == (64, 48)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\x89PNG\r\n", Reason.NOT_A_JPEG),
        (b"\xff\xd8", Reason.TRUNCATED_JPEG),
        (b"\xff\xd8\xff\xd9", Reason.NOT_A_JPEG),
        (b"\xff\xd8\x00\x00", Reason.NOT_A_JPEG),
        (b"\xff\xd8\xff\x00", Reason.NOT_A_JPEG),
        (b"\xff\xd8\xff\xe0\x00\x01", Reason.NOT_A_JPEG),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", Reason.NOT_A_JPEG),
        (b"\xff\xd8\xff\xc0\x00\x04\x08\x00\xff\xd9", Reason.NOT_A_JPEG),
        (b"\xff\xd8" + b"\xff\xd0" * 4_000_000, Reason.NOT_A_JPEG),
        (b"\xff" * 4_000_000, Reason.NOT_A_JPEG),
        (b"\xff\xd8" + b"\xff" * 4_000_000, Reason.TRUNCATED_JPEG),
        (with_header_size(0, 48), Reason.NOT_A_JPEG),
        (with_header_size(64, 0), Reason.NOT_A_JPEG),
    ],
)
def test_what_is_no_jpeg_is_refused(payload: bytes, reason: Reason) -> None:
    assert refusal(payload).reason == reason


def decodes_or_refuses(payload: bytes) -> None:
    try:
        frame = decode(payload)
    except PayloadError as error:
        refused: PayloadError | None = error
    else:
        refused = None
        assert min(frame.size_px) > 0
        assert frame.captured_at.tzinfo is UTC
    if refused is not None:
        assert refused.reason in list(Reason)
        assert "\n" not in str(refused)


@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    decodes_or_refuses(payload)
    decodes_or_refuses(b"\xff\xd8\xff" + payload)


@given(st.data())
def test_damaged_exif_is_decoded_or_refused(data: st.DataObject) -> None:
    payload = bytearray(stamp_jpeg(JPEG, TAKEN_AT))
    for _ in range(data.draw(st.integers(1, 6))):
        payload[data.draw(st.integers(0, 160))] = data.draw(st.integers(0, 255))
    decodes_or_refuses(bytes(payload))


@given(st.binary(max_size=200))
def test_any_tiff_block_gives_a_time_or_none(block: bytes) -> None:
    for mark in (b"", b"II*\0", b"MM\0*"):
        read_exif_turn(mark + block)
        result = read_exif_time(mark + block)
        assert result is None or result.tzinfo is UTC
