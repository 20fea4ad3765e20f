"""Spooled sensor messages → readings, sensor rules, incident events: one transaction per batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gateway.adapters.state_store import load_states, put_outgoing, save_states
from gateway.dead_letter_log import DeadLetterLog
from gateway.incident_feed import IncidentFeed
from gateway.site_incidents import SiteIncidents
from geofence.judge import SensorState, judge_reading
from geofence.messages import IncidentEvent
from geofence.site import Site
from ingest.adapters.spool import Spool
from ingest.errors import PayloadError
from ingest.messages import DeadLetter, RawMessage, Reading
from ingest.payloads import decode_readings
from ingest.topics import SensorTopic, parse_topic

CONSUMER = "readings"
BATCH = 2000
_STATES = "sensor:"


@dataclass(slots=True)
class _Batch:
    """What one transaction will hold."""

    readings: list[Reading] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    states: dict[str, SensorState] = field(default_factory=dict)
    events: list[IncidentEvent] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class ReadingConsumer:
    """Takes sensor messages from the spool by cursor; `step` is called by one thread."""

    def __init__(
        self,
        *,
        spool: Spool,
        site: Site,
        incidents: SiteIncidents,
        feed: IncidentFeed,
        letters: DeadLetterLog,
        topic_root: str,
    ) -> None:
        self._spool = spool
        self._incidents = incidents
        self._site = site
        self._feed = feed
        self._letters = letters
        self._topic_root = topic_root
        self._states = {key: SensorState.from_json(text) for key, text in load_states(spool, _STATES).items()}

    def step(self) -> bool:
        """Handle one batch; True when another may be waiting."""
        messages = self._spool.pending(CONSUMER, limit=BATCH)
        if not messages:
            return False
        batch = _Batch()
        for message in messages:
            self._decode(message, batch)
        self._judge(batch)
        self._commit(batch, messages[-1].id)
        return len(messages) == BATCH

    def _decode(self, message: RawMessage, batch: _Batch) -> None:
        topic = parse_topic(self._topic_root, message.topic)
        try:
            if not isinstance(topic, SensorTopic):
                raise PayloadError("unknown_topic", "not a sensor's topic")
            decoded = decode_readings(message.payload, sensor_id=topic.sensor_id, received_at=message.received_at)
        except PayloadError as error:
            batch.dead_letters.append(
                DeadLetter(
                    topic=message.topic,
                    payload=message.payload,
                    reason=error.reason,
                    detail=error.detail,
                    received_at=message.received_at,
                )
            )
            return
        batch.readings.extend(decoded.readings)
        batch.counts["values_ignored"] += len(decoded.ignored)

    def _judge(self, batch: _Batch) -> None:
        for reading in batch.readings:
            if reading.sensor_id not in self._site.sensors:
                batch.counts["readings_of_unknown_sensors"] += 1
                continue
            before = batch.states.get(reading.sensor_id, self._states.get(reading.sensor_id))
            after, events = judge_reading(self._site, reading, before)
            # Without a rule there is nothing to remember.
            if after != (before or SensorState()):
                batch.states[reading.sensor_id] = after
            batch.events.extend(events)

    def _commit(self, batch: _Batch, last_id: int) -> None:
        counts = batch.counts | Counter(readings_stored=len(batch.readings), dead_letters=len(batch.dead_letters))
        with self._incidents.transaction() as transaction:
            joined = self._incidents.joined([(event, None) for event in batch.events], transaction.connection)
            events = [event for event, _ in joined]
            counts["incident_events"] += len(events)
            transaction.add_readings(batch.readings)
            transaction.add_dead_letters(batch.dead_letters)
            transaction.count_all(counts)
            save_states(transaction.connection, _STATES, _changed(batch.states, self._states))
            put_outgoing(transaction.connection, [self._feed.message(event) for event in events])
            transaction.advance(CONSUMER, last_id)
        self._states |= batch.states
        self._letters.report(batch.dead_letters)
        self._feed.announce(events)


def _changed(after: dict[str, SensorState], before: dict[str, SensorState]) -> dict[str, str]:
    return {key: state.to_json() for key, state in after.items() if before.get(key) != state}
