"""Errors of the detector stage. Each carries its facts as attributes."""

from __future__ import annotations


class DetectorError(Exception):
    """Base of every error that this stage raises."""


class ModelError(DetectorError):
    """A model cannot be used: names the file, what is wrong and what would be right."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class DeviceError(DetectorError):
    """The wanted device is not on this machine."""

    def __init__(self, device: str, problem: str) -> None:
        super().__init__(f"device {device!r}: {problem}")
        self.device = device
        self.problem = problem
