"""Raw JPEG payloads to frames: whole, of sane size, with a time. Nothing is decoded here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest.config import FrameLimits
from ingest.device_time import check_plausible
from ingest.errors import PayloadError
from ingest.exif import EXIF_HEADER, read_exif_time, read_exif_turn
from ingest.messages import CameraId, Frame, TimeSource
from ingest.reasons import Reason

_DEFAULT_LIMITS = FrameLimits()
_SOI = b"\xff\xd8"
_EOI = b"\xff\xd9"
_SOS = 0xDA
_APP1 = 0xE1
# Every start-of-frame marker; C4, C8 and CC between them are tables and extensions.
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})
# Some cameras pad a picture; more than this behind the end means that there was none.
_MAX_PADDING_BYTES = 1024
_MAX_SEGMENTS = 1000


@dataclass(frozen=True, slots=True)
class JpegInfo:
    """(width, height) in pixels, and the aware UTC capture time where EXIF holds one with an offset.

    is_turned: EXIF says that the picture has to be turned or mirrored to stand upright
    """

    size_px: tuple[int, int]
    captured_at: datetime | None
    is_turned: bool


@dataclass(frozen=True, slots=True)
class _Header:
    """What stands before the picture's data."""

    size_px: tuple[int, int]
    exif: bytes
    data_at: int


def decode_frame(
    payload: bytes,
    *,
    camera_id: CameraId,
    received_at: datetime,
    limits: FrameLimits = _DEFAULT_LIMITS,
) -> Frame:
    """Return a camera's picture with its size and capture time; PayloadError, and nothing else, otherwise.

    received_at: aware UTC, taken as capture time of a picture whose EXIF data hold no time with an offset
    """
    info = check_jpeg(payload, limits)
    captured_at = info.captured_at
    if captured_at is not None:
        check_plausible(captured_at, received_at, limits.time, what="picture")
    return Frame(
        camera_id=camera_id,
        captured_at=received_at if captured_at is None else captured_at,
        received_at=received_at,
        time_source=TimeSource.GATEWAY if captured_at is None else TimeSource.DEVICE,
        size_px=info.size_px,
        jpeg=payload,
    )


def check_jpeg(payload: bytes, limits: FrameLimits = _DEFAULT_LIMITS) -> JpegInfo:
    """Return what a whole JPEG of sane size says of itself; PayloadError, and nothing else, otherwise."""
    if not payload:
        raise PayloadError(Reason.EMPTY, "no bytes; expected a JPEG")
    if len(payload) > limits.max_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"{len(payload)} bytes, a picture may have at most {limits.max_bytes}")
    header = _walk(payload)
    _check_size(header.size_px, limits)
    end_at = payload.rfind(_EOI, max(header.data_at, len(payload) - _MAX_PADDING_BYTES))
    if end_at < 0:
        raise _truncated(f"no end marker in {len(payload)} bytes; the picture did not arrive whole")
    return JpegInfo(header.size_px, read_exif_time(header.exif), read_exif_turn(header.exif))


def _walk(payload: bytes) -> _Header:
    """Step from marker to marker up to the picture's data."""
    if not payload.startswith(_SOI):
        raise PayloadError(Reason.NOT_A_JPEG, f"starts with {payload[:4].hex(' ')}, a JPEG with ff d8 ff")
    at = len(_SOI)
    size_px: tuple[int, int] | None = None
    exif = b""
    for _ in range(_MAX_SEGMENTS):
        marker, at = _marker(payload, at)
        if marker == _EOI[1]:
            raise PayloadError(Reason.NOT_A_JPEG, f"ends at byte {at}, before any picture data")
        if marker in _WITHOUT_LENGTH:
            continue
        body, at = _segment(payload, at)
        if marker in _SOF:
            size_px = _size(body)
        elif marker == _APP1 and body.startswith(EXIF_HEADER) and not exif:
            exif = body[len(EXIF_HEADER) :]
        elif marker == _SOS:
            if size_px is None:
                raise PayloadError(Reason.NOT_A_JPEG, f"picture data at byte {at}, but no size before it")
            return _Header(size_px, exif, at)
    raise PayloadError(Reason.NOT_A_JPEG, f"no picture data behind {_MAX_SEGMENTS} segments")


def _marker(payload: bytes, at: int) -> tuple[int, int]:
    """Return the marker at `at` and the offset behind it; ff bytes before it are filling."""
    for offset in range(at, min(at + _MAX_SEGMENTS, len(payload))):
        byte = payload[offset]
        if byte == 0xFF:
            continue
        if offset == at or byte == 0:
            raise PayloadError(Reason.NOT_A_JPEG, f"byte {offset} is {byte:02x} where a marker should stand")
        return byte, offset + 1
    raise _truncated(f"no marker behind byte {at} of {len(payload)}")


def _segment(payload: bytes, at: int) -> tuple[bytes, int]:
    """Return the segment whose length stands at `at`, and the offset behind it."""
    length = int.from_bytes(payload[at : at + 2], "big")
    end = at + length
    if at + 2 > len(payload) or end > len(payload):
        raise _truncated(f"a segment at byte {at} reaches beyond the end at {len(payload)}")
    if length < 2:
        raise PayloadError(Reason.NOT_A_JPEG, f"a segment at byte {at} has the length {length}")
    return payload[at + 2 : end], end


def _size(body: bytes) -> tuple[int, int]:
    if len(body) < 6:
        raise PayloadError(Reason.NOT_A_JPEG, f"the size takes 6 bytes, the header has {len(body)}")
    return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")


def _check_size(size_px: tuple[int, int], limits: FrameLimits) -> None:
    width, height = size_px
    if width == 0 or height == 0:
        raise PayloadError(Reason.NOT_A_JPEG, f"the header says {width} x {height} pixels")
    if width * height > limits.max_pixels:
        raise PayloadError(
            Reason.TOO_MANY_PIXELS,
            f"the header says {width} x {height} pixels, accepted are {limits.max_pixels} in all",
        )


def _truncated(detail: str) -> PayloadError:
    return PayloadError(Reason.TRUNCATED_JPEG, detail)
