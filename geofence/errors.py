"""Errors of the geofence stage. Each carries its facts as attributes."""

from __future__ import annotations


class GeofenceError(Exception):
    """Base of every error that this stage raises."""


class SiteError(GeofenceError):
    """A site folder cannot be used: names the file, the key, what stands there and what would be right."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem


class CalibrationError(GeofenceError):
    """The control points of a camera give no usable homography."""

    def __init__(self, camera_id: str, problem: str) -> None:
        super().__init__(f"camera {camera_id}: {problem}")
        self.camera_id = camera_id
        self.problem = problem
