"""When a camera says that it took a picture: the EXIF time, read without an image library.

A TIFF structure holds tags in directories; only Orientation, DateTimeOriginal, SubSecTimeOriginal and
OffsetTimeOriginal are looked at (EXIF 2.31, 4.6.4 and 4.6.5).
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime

EXIF_HEADER = b"Exif\0\0"

_EXIF_DIRECTORY = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_OFFSET_TIME_ORIGINAL = 0x9011
_SUB_SEC_TIME_ORIGINAL = 0x9291
_ORIENTATION = 0x0112
_TURNED = range(2, 9)
_ASCII = 2
_SHORT = 3
_LONG = 4
_MAX_ENTRIES = 1000
_MAX_TEXT_BYTES = 64
_ENTRY_BYTES = 12

_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", re.ASCII)
_OFFSET = re.compile(r"[+-]\d\d:\d\d", re.ASCII)


class _Tiff:
    """A TIFF block with bounds-checked reads; every offset counts from its first byte."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4], "")

    def first_directory(self) -> dict[int, bytes]:
        """Return tag -> 12-byte entry of the first directory; empty where there is none."""
        return self.directory(self._u32(4)) if self._order else {}

    def directory(self, at: int | None) -> dict[int, bytes]:
        """Return tag -> 12-byte entry of the directory at an offset; empty outside the block."""
        count = self._u16(at)
        if at is None or count is None or count > _MAX_ENTRIES:
            return {}
        starts = range(at + 2, at + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES)
        entries = [self._block[start : start + _ENTRY_BYTES] for start in starts]
        return {
            int(struct.unpack_from(f"{self._order}H", entry)[0]): entry
            for entry in entries
            if len(entry) == _ENTRY_BYTES
        }

    def pointer(self, entry: bytes | None) -> int | None:
        """Return the offset that an entry of type LONG points to."""
        if entry is None:
            return None
        _, kind, count, offset = struct.unpack(f"{self._order}HHII", entry)
        return int(offset) if kind == _LONG and count == 1 else None

    def short(self, entry: bytes | None) -> int | None:
        """Return the number of an entry of type SHORT."""
        if entry is None:
            return None
        _, kind, count, number = struct.unpack(f"{self._order}HHIH2x", entry)
        return int(number) if kind == _SHORT and count == 1 else None

    def text(self, entry: bytes | None) -> str:
        """Return the text of an entry of type ASCII; empty where it has none."""
        if entry is None:
            return ""
        _, kind, count, offset = struct.unpack(f"{self._order}HHII", entry)
        if kind != _ASCII or count > _MAX_TEXT_BYTES:
            return ""
        raw = entry[8 : 8 + count] if count <= 4 else self._block[offset : offset + count]
        return raw.split(b"\0")[0].decode("ascii", "replace").strip() if len(raw) == count else ""

    def _u16(self, at: int | None) -> int | None:
        return self._number("H", 2, at)

    def _u32(self, at: int | None) -> int | None:
        return self._number("I", 4, at)

    def _number(self, code: str, size: int, at: int | None) -> int | None:
        if at is None or at + size > len(self._block):
            return None
        return int(struct.unpack_from(f"{self._order}{code}", self._block, at)[0])


def read_exif_turn(block: bytes) -> bool:
    """Whether a TIFF block says that the picture has to be turned or mirrored to stand upright."""
    tiff = _Tiff(block)
    return tiff.short(tiff.first_directory().get(_ORIENTATION)) in _TURNED


def read_exif_time(block: bytes) -> datetime | None:
    """Return the aware UTC capture time of a TIFF block; None without a time, or without its offset.

    A time without an offset could be any of 27 hours: it is no time.
    """
    tiff = _Tiff(block)
    tags = tiff.directory(tiff.pointer(tiff.first_directory().get(_EXIF_DIRECTORY)))
    time = _TIME.fullmatch(tiff.text(tags.get(_DATE_TIME_ORIGINAL)))
    offset = tiff.text(tags.get(_OFFSET_TIME_ORIGINAL))
    if time is None or not _OFFSET.fullmatch(offset):
        return None
    fraction = tiff.text(tags.get(_SUB_SEC_TIME_ORIGINAL))
    fraction = f".{fraction[:6]:0<6}" if fraction.isascii() and fraction.isdigit() else ""
    year, month, day, clock = time.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{fraction}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
