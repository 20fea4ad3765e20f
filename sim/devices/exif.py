"""Writing a capture time into a JPEG, as a camera's firmware does.

EXIF 2.31 (CIPA DC-008), 4.6.5: DateTimeOriginal, OffsetTimeOriginal, SubSecTimeOriginal.
"""

from __future__ import annotations

import struct
from datetime import datetime

_EXIF_DIRECTORY = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_OFFSET_TIME_ORIGINAL = 0x9011
_SUB_SEC_TIME_ORIGINAL = 0x9291
_ASCII, _LONG = 2, 4
_ENTRY_BYTES = 12


def stamp_jpeg(jpeg: bytes, captured_at: datetime) -> bytes:
    """The same picture with an EXIF segment that says when it was taken, to the microsecond.

    captured_at: aware; its own offset is kept. Raises ValueError for what is no JPEG.
    """
    if jpeg[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG: it does not begin with FF D8")
    offset = captured_at.strftime("%z")
    texts = {
        _DATE_TIME_ORIGINAL: captured_at.strftime("%Y:%m:%d %H:%M:%S"),
        _OFFSET_TIME_ORIGINAL: f"{offset[:3]}:{offset[3:5]}",
        _SUB_SEC_TIME_ORIGINAL: f"{captured_at.microsecond:06d}",
    }
    exif_at = 8 + 2 + _ENTRY_BYTES + 4
    directory = struct.pack(">HHHII", 1, _EXIF_DIRECTORY, _LONG, 1, exif_at) + bytes(4)
    body = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory + _text_directory(texts, at=exif_at)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def _text_directory(texts: dict[int, str], *, at: int) -> bytes:
    """Lay out a directory at an offset whose ASCII values follow it; all are longer than 4 bytes."""
    entries = b""
    values = b""
    values_at = at + 2 + len(texts) * _ENTRY_BYTES + 4
    for tag, text in sorted(texts.items()):
        raw = text.encode("ascii") + b"\0"
        entries += struct.pack(">HHII", tag, _ASCII, len(raw), values_at + len(values))
        values += raw
    return struct.pack(">H", len(texts)) + entries + bytes(4) + values
