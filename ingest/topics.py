"""The topic tree: which topic means what, and which ids may stand in one.

``{root}/{site}/sensors/{sensor_id}``, ``{root}/{site}/cameras/{camera_id}/frame`` and ``…/status``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ingest.errors import TopicError
from ingest.messages import CameraId, SensorId

DEFAULT_ROOT = "s721/v1"
MAX_ID_CHARACTERS = 64

# A space drops the connection at a NATS broker, a dot would be a level there, * and > are its wildcards.
_FORBIDDEN = re.compile(r"[/+#.*>$\s\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PROBLEM = f"must be 1 to {MAX_ID_CHARACTERS} characters without space, dot, / + # * > $ or control characters"


class MessageKind(StrEnum):
    """What a message is for; each kind has its own consumer."""

    READING = "r"
    FRAME = "f"


@dataclass(frozen=True, slots=True)
class SensorTopic:
    """A sensor's own topic."""

    site: str
    sensor_id: SensorId


@dataclass(frozen=True, slots=True)
class FrameTopic:
    """The topic on which a camera sends its pictures."""

    site: str
    camera_id: CameraId


@dataclass(frozen=True, slots=True)
class StatusTopic:
    """The retained topic that says whether a camera is there."""

    site: str
    camera_id: CameraId


def check_id(what: str, value: str) -> str:
    """Return `value` if it may be one level of a topic; TopicError names `what` otherwise."""
    if not _is_id(value):
        raise TopicError(what, value, _PROBLEM)
    return value


def check_root(root: str) -> str:
    """Return `root` if each of its levels may stand in a topic; TopicError otherwise."""
    if not all(_is_id(level) for level in root.split("/")):
        raise TopicError("topic root", root, f"each level between the / {_PROBLEM}")
    return root


def sensor_topic(root: str, site: str, sensor_id: str) -> str:
    """Return the topic of a sensor; TopicError for an unusable id."""
    return f"{_site_level(root, site)}/sensors/{check_id('sensor id', sensor_id)}"


def frame_topic(root: str, site: str, camera_id: str) -> str:
    """Return the topic for a camera's pictures; TopicError for an unusable id."""
    return f"{_site_level(root, site)}/cameras/{check_id('camera id', camera_id)}/frame"


def status_topic(root: str, site: str, camera_id: str) -> str:
    """Return the retained status topic of a camera; TopicError for an unusable id."""
    return f"{_site_level(root, site)}/cameras/{check_id('camera id', camera_id)}/status"


def subscription_filters(root: str, site: str) -> tuple[str, ...]:
    """Return the filters that cover every reading and every frame of a site."""
    level = _site_level(root, site)
    return (f"{level}/sensors/+", f"{level}/cameras/+/frame")


def parse_topic(root: str, topic: str) -> SensorTopic | FrameTopic | StatusTopic | None:
    """Return what a topic means under `root`; None where it means nothing to us."""
    if not topic.startswith(f"{root}/"):
        return None
    levels = topic[len(root) + 1 :].split("/")
    if len(levels) < 3 or not _is_id(levels[0]) or not _is_id(levels[2]):
        return None
    match levels:
        case [site, "sensors", sensor_id]:
            return SensorTopic(site, SensorId(sensor_id))
        case [site, "cameras", camera_id, "frame"]:
            return FrameTopic(site, CameraId(camera_id))
        case [site, "cameras", camera_id, "status"]:
            return StatusTopic(site, CameraId(camera_id))
    return None


def topic_classifier(root: str) -> Callable[[str], MessageKind | None]:
    """Return a function from topic to the consumer that wants it; None for a topic that nobody reads."""

    def kind_of(topic: str) -> MessageKind | None:
        parsed = parse_topic(root, topic)
        if isinstance(parsed, SensorTopic):
            return MessageKind.READING
        return MessageKind.FRAME if isinstance(parsed, FrameTopic) else None

    return kind_of


def _site_level(root: str, site: str) -> str:
    return f"{check_root(root)}/{check_id('site', site)}"


def _is_id(value: str) -> bool:
    return 0 < len(value) <= MAX_ID_CHARACTERS and _FORBIDDEN.search(value) is None
