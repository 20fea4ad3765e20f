"""The hash chain over the history of all cases: a change, a gap or a cut end shows itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from dispatcher.messages import ChainedEntry, HistoryEntry

GENESIS_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last link: its number (0 for an empty chain) and its hash."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first place where the chain does not hold, with the reason in one line."""

    seq: int
    case_no: str | None
    problem: str


def chain(head: ChainHead, case_no: str, entry: HistoryEntry) -> ChainedEntry:
    """Return the entry as the next link after `head`."""
    seq = head.seq + 1
    return ChainedEntry(
        seq=seq,
        case_no=case_no,
        entry=entry,
        prev_hash=head.hash,
        hash=entry_hash(head.hash, seq, case_no, entry),
    )


def entry_hash(prev_hash: str, seq: int, case_no: str, entry: HistoryEntry) -> str:
    """Return the sha256 (hex) over prev_hash and the canonical JSON of the entry."""
    body = {
        "seq": seq,
        "case_no": case_no,
        "step": entry.step.value,
        "from_state": None if entry.from_state is None else entry.from_state.value,
        "to_state": entry.to_state.value,
        "actor": entry.actor,
        "at": _instant(entry.at),
        "recorded_at": _instant(entry.recorded_at),
        "reason": entry.reason,
        "facts": dict(entry.facts),
    }
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{prev_hash}\n{canonical}".encode()).hexdigest()


def first_break(links: Iterable[ChainedEntry], head: ChainHead) -> ChainBreak | None:
    """Check links in rising seq against the recorded head; None when all hold."""
    last = ChainHead(0, GENESIS_HASH)
    for link in links:
        if link.seq != last.seq + 1:
            return ChainBreak(last.seq + 1, None, f"entry {last.seq + 1} is missing")
        if link.prev_hash != last.hash:
            return ChainBreak(link.seq, link.case_no, "prev_hash is not the hash of the entry before")
        if entry_hash(link.prev_hash, link.seq, link.case_no, link.entry) != link.hash:
            return ChainBreak(link.seq, link.case_no, "the entry does not match its hash")
        last = ChainHead(link.seq, link.hash)
    if last != head:
        return ChainBreak(last.seq + 1, None, f"the recorded end is entry {head.seq}, the chain ends at {last.seq}")
    return None


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
