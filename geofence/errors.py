"""Errors of the geofence stage. Each carries its facts as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


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

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep an error of this stage and go on after the block."""
        try:
            yield
        except GeofenceError as error:
            self.add(error)

    def add(self, error: GeofenceError) -> None:
        """Keep an error, and what it brings along."""
        self._found += error.every

    def raise_any(self) -> None:
        """Raise the first error that was kept, with the others; nothing where there is none."""
        if self._found:
            first, *others = self._found
            first.others = tuple(others)
            raise first


class CalibrationError(GeofenceError):
    """The control points of a camera give no usable homography."""

    def __init__(self, camera_id: str, problem: str) -> None:
        super().__init__(f"camera {camera_id}: {problem}")
        self.camera_id = camera_id
        self.problem = problem
