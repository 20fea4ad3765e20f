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
