"""The door of the centre: one incident event in, one outcome out, nothing lost in between."""

from __future__ import annotations

import binascii
import re
from datetime import datetime
from typing import Protocol

from dispatcher.errors import IncidentError
from dispatcher.messages import Outcome, Picture, Result
from geofence.cloudevents import EnvelopeError, Evidence, incident_from_json
from geofence.messages import IncidentEvent

MAX_PICTURE_BYTES = 8 * 1024 * 1024
PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_SITE_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
_CELL = re.compile(r"^[0-9A-Z]{15,16}$")


class OrderBook(Protocol):
    """Where incidents become orders; one transaction per call.

    Both raise StoreUnavailableError when nothing could be written; the caller tries again.
    """

    def record(self, event_id: str, event: IncidentEvent, picture: Picture | None, received_at: datetime) -> Outcome:
        """Apply one incident event exactly once."""
        ...

    def keep_dead_letter(self, body: bytes, reason: str, detail: str, received_at: datetime) -> None:
        """Keep what could not be used, whole."""
        ...


class IntakeMetrics(Protocol):
    """Where outcomes are counted."""

    def count(self, outcome: Outcome) -> None:
        """Count one outcome, and its latency where it has one."""
        ...


class IncidentIntake:
    """Decodes incident events and hands them to the order book; what is unusable becomes a dead letter."""

    def __init__(self, book: OrderBook, metrics: IntakeMetrics) -> None:
        self._book = book
        self._metrics = metrics

    def handle(self, body: bytes, received_at: datetime) -> Outcome:
        """Take in one CloudEvent accepted at `received_at` (aware UTC).

        Once this returns the message may be acknowledged. Raises StoreUnavailableError only.
        """
        try:
            event_id, event, picture = decode_incident(body)
        except IncidentError as error:
            self._book.keep_dead_letter(body, error.reason, error.detail, received_at)
            outcome = Outcome(result=Result.DEAD_LETTER, detail=error.detail)
        else:
            outcome = self._book.record(event_id, event, picture, received_at)
        self._metrics.count(outcome)
        return outcome


def decode_incident(body: bytes) -> tuple[str, IncidentEvent, Picture | None]:
    """Decode and check (event id, incident, picture); raises IncidentError."""
    try:
        event_id, event, evidence = incident_from_json(body)
    except EnvelopeError as error:
        raise IncidentError("invalid_event", str(error)) from error
    _check(event)
    return event_id, event, None if evidence is None else _picture(evidence, event)


def _check(event: IncidentEvent) -> None:
    """Refuse what JSON can say and a street cannot."""
    checks = (
        (-90 <= event.lat <= 90, "lat", event.lat, "-90..90"),
        (-180 <= event.lng <= 180, "lng", event.lng, "-180..180"),
        (0 <= event.confidence <= 1, "confidence", event.confidence, "0..1"),
        (event.dwell_s >= 0, "dwell_s", event.dwell_s, "0 or more seconds"),
        (_SITE_ID.match(event.site_id) is not None, "site_id", event.site_id, "letters, digits, '_', '.', '-'"),
        (event.cell is None or _CELL.match(event.cell) is not None, "cell", event.cell, "15 or 16 of 0-9A-Z"),
        (bool(event.incident_id and event.place_key), "incident_id, place_key", "", "not empty"),
        (_is_plausible(event.at), "at", event.at, "a year in 2000..2099"),
        (_is_plausible(event.began_at), "began_at", event.began_at, "a year in 2000..2099"),
    )
    for is_right, key, value, wanted in checks:
        if not is_right:
            raise IncidentError("invalid_event", f"data.{key} = {str(value)[:80]!r}: should be {wanted}")


def _is_plausible(moment: datetime) -> bool:
    return 2000 <= moment.year < 2100


def _picture(evidence: Evidence, event: IncidentEvent) -> Picture:
    if evidence.media_type not in PICTURE_TYPES:
        raise IncidentError(
            "bad_evidence",
            f"media_type {evidence.media_type[:80]!r}: should be one of {sorted(PICTURE_TYPES)}",
        )
    if not _is_plausible(evidence.captured_at):
        raise IncidentError("bad_evidence", f"captured_at {evidence.captured_at}: should be a year in 2000..2099")
    try:
        content = evidence.content()
    except (EnvelopeError, binascii.Error, ValueError) as error:
        raise IncidentError("bad_evidence", str(error)) from error
    if not 0 < len(content) <= MAX_PICTURE_BYTES:
        raise IncidentError("bad_evidence", f"picture of {len(content)} bytes: should be 1..{MAX_PICTURE_BYTES}")
    return Picture(
        sha256=evidence.sha256,
        media_type=evidence.media_type,
        content=content,
        captured_at=evidence.captured_at,
        xyxy=event.xyxy,
    )
