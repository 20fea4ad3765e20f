"""Errors of the geofence stage. Each carries its facts as attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import TracebackType

# What differs between lines that say the same of many things: names of zones, and all that has a digit.
_PARTICULAR = re.compile(r"zone \S+|[\w.,:+-]*\d[\w.,:+-]*")
_ALIKE = 5


class GeofenceError(Exception):
    """Base of every error that this stage raises; others: found in the same files, each one line like this one."""

    others: tuple[GeofenceError, ...] = ()

    @property
    def every(self) -> list[GeofenceError]:
        """This error and the others."""
        return [self, *self.others]


class SiteError(GeofenceError):
    """A site folder cannot be used: names the file, the key, what stands there and what would be right."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem


class Faults:
    """Collects what is wrong in several places, so that a person mends it in one go."""

    def __init__(self) -> None:
        self._found: list[GeofenceError] = []

    def __len__(self) -> int:
        return len(self._found)

    def collect(self) -> _Collecting:
        """A block of which an error of this stage is kept, to go on after it."""
        return _Collecting(self)

    def add(self, error: GeofenceError) -> None:
        """Keep an error, and what it brings along."""
        self._found += error.every

    def raise_any(self) -> None:
        """Raise the first error that was kept, with the others; nothing where there is none."""
        if self._found:
            first, *others = self._found
            first.others = tuple(others)
            raise first


class _Collecting:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, GeofenceError):
            return False
        self._faults.add(error)
        return True


def grouped(lines: Iterable[str]) -> list[str]:
    """Lines in their order; more than five that differ in names and numbers only are the first, and their count."""
    alike: dict[str, list[str]] = {}
    for line in lines:
        alike.setdefault(_PARTICULAR.sub("#", line), []).append(line)
    return [line for group in alike.values() for line in _short(group)]


def _short(group: list[str]) -> list[str]:
    return group if len(group) <= _ALIKE else [f"{group[0]} (and {len(group) - 1:,} more like it)"]


class CalibrationError(GeofenceError):
    """The control points of a camera give no usable homography."""

    def __init__(self, camera_id: str, problem: str) -> None:
        super().__init__(f"camera {camera_id}: {problem}")
        self.camera_id = camera_id
        self.problem = problem
