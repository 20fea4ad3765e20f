"""Errors of the ingest stage. Each carries its facts as attributes."""

from __future__ import annotations


class IngestError(Exception):
    """Base of every error that this stage raises."""


class BrokerUrlError(IngestError):
    """The broker address of the configuration cannot be used."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"[broker] url {url!r}: {problem}")
        self.url = url
        self.problem = problem


class PayloadError(IngestError):
    """A device sent something that cannot be decoded; it goes to the dead letters.

    reason: a short constant such as ``invalid_json``, used as a metric label
    detail: one line for a person
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class TopicError(IngestError):
    """A topic root or an id cannot stand in a topic."""

    def __init__(self, what: str, value: str, problem: str) -> None:
        super().__init__(f"{what} {value!r}: {problem}")
        self.what = what
        self.value = value
        self.problem = problem


class SettingsError(IngestError):
    """A setting has a value that cannot work; names the key and what would be right."""

    def __init__(self, key: str, value: object, problem: str) -> None:
        super().__init__(f"{key} = {value!r}: {problem}")
        self.key = key
        self.value = value
        self.problem = problem


class LinkError(IngestError):
    """A message could not be handed to the broker, or was not acknowledged in time."""

    def __init__(self, broker: str, problem: str) -> None:
        super().__init__(f"broker {broker}: {problem}")
        self.broker = broker
        self.problem = problem


class SpoolError(IngestError):
    """The spool cannot be opened, or cannot be written any more (disk full, input/output error)."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"spool {path}: {problem}")
        self.path = path
        self.problem = problem


class BrokerStartError(IngestError):
    """The embedded broker cannot be started."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"embedded broker {where}: {problem}")
        self.where = where
        self.problem = problem
