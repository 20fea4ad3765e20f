"""Errors of the model workbench. Each is one line: what, where, what would be right."""

from __future__ import annotations

from pathlib import Path

from detectors.errors import DetectorError


class TrainingError(DetectorError):
    """Base of every error that training, export and evaluation raise."""


class DataFolderError(TrainingError):
    """A picture folder does not hold what training or scoring needs."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}")
        self.folder = folder
        self.problem = problem


class ModelFileError(TrainingError):
    """A weight file, an exported model or a card cannot be used."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem


class ExtraMissingError(TrainingError):
    """A package of the `train` extra is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed: pip install street721[train]")
        self.package = package
