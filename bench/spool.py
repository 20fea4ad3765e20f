"""Hot path: MQTT message to durable row. Its commits decide how many messages a second one box can acknowledge.

Reference: the same rows in the same spool, one transaction per message, as a callback that stores before it
acknowledges would do it.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.pairs import interleave, report
from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.adapters.spool import NewMessage, Spool
from ingest.adapters.spool_writer import SpoolWriter
from ingest.config import SpoolSettings
from ingest.topics import MessageKind

_MESSAGES = 4000
_ROUNDS = 5
_REFERENCE = "one commit per message"
_BODY = b'{"ts":"2026-11-22T08:00:00.000Z","values":{"level":42.5}}'


class _Broker:
    """Counts what would have been acknowledged."""

    up_since_s: float | None = 0.0
    acknowledged = 0

    def acknowledge(self, messages: list[InboundMessage]) -> int:
        """Count."""
        self.acknowledged += len(messages)
        return len(messages)


def main() -> None:
    """Print acknowledged messages per second of the product's group commit and of the reference."""
    with tempfile.TemporaryDirectory(prefix="street721-bench-") as folder:
        ways = {
            _REFERENCE: lambda: _one_by_one(Path(folder) / "one.db"),
            "street721": lambda: _group_commit(Path(folder) / "group.db"),
        }
        report(interleave(ways, rounds=_ROUNDS), per_call=_MESSAGES, unit="messages", reference=_REFERENCE)


def _one_by_one(file: Path) -> None:
    with Spool(SpoolSettings(file=file)) as spool:
        for number in range(_MESSAGES):
            with spool.transaction() as transaction:
                message = NewMessage(MessageKind.READING, _topic(number), _BODY, datetime.now(UTC))
                transaction.add_messages([message])
                transaction.count_all({"received": 1, "stored": 1})


def _group_commit(file: Path) -> None:
    settings = SpoolSettings(file=file)
    inbox, broker = Inbox(max_messages=20_000, max_bytes=1 << 27), _Broker()
    with Spool(settings) as spool:
        writer = SpoolWriter(settings, inbox=inbox, spool=spool, source=broker, wake={})
        writer.start()
        for number in range(_MESSAGES):
            inbox.put(_inbound(number))
        inbox.close()
        writer.join()
    assert broker.acknowledged == _MESSAGES


def _inbound(number: int) -> InboundMessage:
    return InboundMessage(
        epoch=1,
        mid=number % 65_535 + 1,
        qos=1,
        received_at=datetime.now(UTC),
        topic=_topic(number),
        payload=_BODY,
        dup=False,
        retain=False,
        kind=MessageKind.READING,
    )


def _topic(number: int) -> str:
    return f"s721/v1/demo/sensors/bin-{number % 200:03d}"
