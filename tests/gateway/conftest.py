"""A spool with the gateway's tables, the one-camera site, and a detector whose answers a test decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors import FrameDetections
from detectors.glance import Glance, glance_of
from gateway.adapters.state_store import create_tables, next_outgoing
from gateway.batcher import BatcherSettings
from gateway.camera_watch import CameraWatch
from gateway.dead_letter_log import DeadLetterLog
from gateway.frame_consumer import FrameConsumer
from gateway.incident_feed import IncidentFeed
from gateway.reading_consumer import ReadingConsumer
from gateway.site_incidents import SiteIncidents
from geofence.adapters.site_folder import load_site
from geofence.sampling import SamplingSettings
from geofence.site import Site
from ingest.adapters.spool import NewMessage, Spool
from ingest.config import SpoolSettings
from ingest.topics import MessageKind
from tests.sites import ONE_CAMERA

ROOT = "s721/v1"


@dataclass(slots=True)
class ScriptedDetector:
    """Sees one heap of garbage on the site's sidewalk while `sees_garbage`; remembers its batches."""

    sees_garbage: bool = False
    gives_glances: bool = False
    batches: list[int] = field(default_factory=list)

    @property
    def description(self) -> str:
        return "scripted"

    def prepare(self, sizes_px: Iterable[tuple[int, int]]) -> None:
        pass

    def detect(self, jpegs: Sequence[bytes], before: Sequence[Glance | None] = ()) -> list[FrameDetections]:
        self.batches.append(len(jpegs))
        known = before or [None] * len(jpegs)
        return [self._see(jpeg, glance) for jpeg, glance in zip(jpegs, known, strict=True)]

    def _see(self, jpeg: bytes, before: Glance | None) -> FrameDetections:
        if b"FAIL" in jpeg:
            return FrameDetections.empty((0, 0), failure="undecodable_jpeg: scripted")
        if not self.gives_glances:
            return self._found()
        glance = glance_of(np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8))
        if before is not None and np.array_equal(glance, before):
            return replace(FrameDetections.empty((960, 540)), glance=glance, is_repeat=True)
        return replace(self._found(), glance=glance)

    def _found(self) -> FrameDetections:
        if not self.sees_garbage:
            return FrameDetections.empty((960, 540))
        return FrameDetections(
            xyxy=np.array([[542, 258, 630, 307]], np.float32),
            confidence=np.array([0.9], np.float32),
            class_id=np.array([6], np.int32),
            size_px=(960, 540),
        )


class GatewayBench:
    """The consumers of one gateway over one spool file; `restart` forgets everything that is not on disk."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.sampling: SamplingSettings | None = None
        self._file = folder / "spool.db"
        self._site = site
        self.detector = ScriptedDetector()
        self.spool = self._open()
        self._build()

    def restart(self) -> None:
        """End as kill -9 would, and start again."""
        self.spool.close()
        self.spool = self._open()
        self._build()

    def put(self, *messages: tuple[str, bytes], at: datetime | None = None) -> None:
        """Spool messages as the writer does; topics below the site."""
        with self.spool.transaction() as transaction:
            transaction.add_messages(
                NewMessage(
                    MessageKind.FRAME if topic.startswith("cameras/") else MessageKind.READING,
                    f"{ROOT}/demo/{topic}",
                    payload,
                    at or datetime.now(UTC),
                )
                for topic, payload in messages
            )

    def outgoing(self) -> list[tuple[str, bytes]]:
        """(topic, payload) of what waits in the outbox."""
        return [(topic, payload) for _, topic, payload in next_outgoing(self.spool, 1000)]

    def _open(self) -> Spool:
        spool = Spool(SpoolSettings(file=self._file))
        with spool.transaction() as transaction:
            create_tables(transaction.connection)
        return spool

    def _build(self) -> None:
        feed, letters = IncidentFeed(ROOT, threading.Event()), DeadLetterLog()
        incidents = SiteIncidents(self.spool, self._site)
        self.readings = ReadingConsumer(
            spool=self.spool, site=self._site, incidents=incidents, feed=feed, letters=letters, topic_root=ROOT
        )
        self.watch = CameraWatch(
            self.spool, dict.fromkeys(self._site.cameras, ""), clock=time.monotonic, now=lambda: datetime.now(UTC)
        )
        self.frames = FrameConsumer(
            spool=self.spool,
            site=self._site,
            incidents=incidents,
            detector=self.detector,
            feed=feed,
            letters=letters,
            topic_root=ROOT,
            settings=BatcherSettings(max_batch=3, max_pending_per_camera=4),
            watch=self.watch,
            sampling=self.sampling,
        )


@pytest.fixture(scope="session")
def small_site() -> Site:
    return load_site(ONE_CAMERA)


@pytest.fixture
def gateway(tmp_path: Path, small_site: Site) -> Iterator[GatewayBench]:
    bench = GatewayBench(tmp_path, small_site)
    yield bench
    bench.spool.close()


@pytest.fixture(scope="session")
def jpeg() -> Callable[[], bytes]:
    picture = cv2.imencode(".jpg", np.full((540, 960, 3), 90, np.uint8))[1].tobytes()
    return lambda: picture
