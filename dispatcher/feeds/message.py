"""What a feed hands to its transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.messages import OrderEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMessage:
    """One message for a topic; qos is the MQTT quality of service."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


Render = Callable[[OrderEvent, str], FeedMessage]
"""Turns (event, topic root such as ``s721/v1``) into a message; deterministic."""
