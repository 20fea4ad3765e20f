"""Writing a capture time into a JPEG, as a camera's firmware does.

EXIF 2.31 (CIPA DC-008): DateTimeOriginal 0x9003, OffsetTimeOriginal 0x9011, SubSecTimeOriginal 0x9291.
"""

from __future__ import annotations

import struct
from datetime import datetime

_EXIF_POINTER = 0x8769
_TAGS = (0x9003, 0x9011, 0x9291)
_ASCII, _LONG = 2, 4
_IFD0_AT = 8
_EXIF_IFD_AT = _IFD0_AT + 2 + 12 + 4
_VALUES_AT = _EXIF_IFD_AT + 2 + 12 * len(_TAGS) + 4


def stamp_jpeg(jpeg: bytes, captured_at: datetime) -> bytes:
    """The same picture with an EXIF segment that says when it was taken; `captured_at` is aware."""
    if jpeg[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG: it does not begin with FF D8")
    body = b"Exif\x00\x00" + _tiff(captured_at)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def _tiff(captured_at: datetime) -> bytes:
    offset = captured_at.strftime("%z")
    texts = (
        captured_at.strftime("%Y:%m:%d %H:%M:%S").encode() + b"\x00",
        f"{offset[:3]}:{offset[3:5]}".encode() + b"\x00",
        f"{captured_at.microsecond // 1000:03d}".encode() + b"\x00",
    )
    entries, values = b"", b""
    for tag, text in zip(_TAGS, texts, strict=True):
        if len(text) <= 4:
            entries += struct.pack("<HHI4s", tag, _ASCII, len(text), text)
        else:
            entries += struct.pack("<HHII", tag, _ASCII, len(text), _VALUES_AT + len(values))
            values += text
    header = b"II*\x00" + struct.pack("<I", _IFD0_AT)
    ifd0 = struct.pack("<HHHIII", 1, _EXIF_POINTER, _LONG, 1, _EXIF_IFD_AT, 0)
    exif_ifd = struct.pack("<H", len(_TAGS)) + entries + struct.pack("<I", 0)
    return header + ifd0 + exif_ifd + values
