"""The one place where adapters are built and joined: a gateway, and a centre."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from detectors import Detector, open_detector
from dispatcher.adapters.database import open_engine
from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.adapters.migrate import migrate
from dispatcher.adapters.outbox import Outbox
from dispatcher.adapters.policy_file import load_policy
from dispatcher.adapters.queries import OrderQueries
from dispatcher.adapters.store import OrderStore
from dispatcher.api.app import SiteMap, create_app
from dispatcher.console.page import mount_console
from dispatcher.errors import StoreUnavailableError
from dispatcher.feeds import FEEDS
from dispatcher.intake import IncidentIntake
from dispatcher.policy import Policy
from gateway.adapters.broker_file import read_broker_file, write_broker_file
from gateway.adapters.centre_identity import centre_id
from gateway.adapters.health_http import HealthServer
from gateway.adapters.local_http import require_free_port
from gateway.adapters.reference_pictures import load_references
from gateway.adapters.state_store import create_tables
from gateway.batcher import BatcherSettings
from gateway.camera_watch import CameraWatch
from gateway.centre import Centre, IncidentConsumer, Presence
from gateway.config import EMBEDDED, Settings
from gateway.daemon import Gateway
from gateway.dead_letter_log import DeadLetterLog
from gateway.frame_consumer import FrameConsumer
from gateway.health import GatewayHealth
from gateway.incident_feed import IncidentFeed
from gateway.incident_outbox import IncidentOutbox
from gateway.janitor import Janitor
from gateway.reading_consumer import ReadingConsumer
from gateway.site_incidents import SiteIncidents
from gateway.supervisor import Supervisor
from gateway.unknown_watch import UnknownWatch
from gateway.worker import Worker
from geofence.adapters.site_folder import load_site
from geofence.sampling import SamplingSettings
from geofence.site import Site
from ingest.adapters.inbox import Inbox
from ingest.adapters.influx_sink import InfluxSink
from ingest.adapters.mqtt_link import Listener, MqttLink
from ingest.adapters.mqtt_source import MqttSource
from ingest.adapters.nats_broker import NatsBroker
from ingest.adapters.spool import Spool
from ingest.adapters.spool_writer import SpoolWriter
from ingest.broker_url import BrokerUrl, TlsFiles
from ingest.config import EmbeddedBrokerSettings, MqttSettings, SinkSettings, SpoolSettings
from ingest.errors import LinkError
from ingest.topics import MessageKind, subscription_filters, topic_classifier

_IDLE_S = 1.0
_JANITOR_EVERY_S = 5.0
_CAMERAS_EVERY_S = 5.0
_OUTBOX_RETRY_S = 2.0
_PRUNE_EVERY_S = 3600.0
_KEEP_SEEN = timedelta(days=30)
"""How long the centre recognises a repeated event, and keeps what it could not read."""


@dataclass(frozen=True, slots=True)
class _Intake:
    """The durable way in: broker session, spool writer, and whom to wake for which kind of message."""

    source: MqttSource
    writer: SpoolWriter
    wake: dict[MessageKind, threading.Event]


def build_gateway(settings: Settings, supervisor: Supervisor) -> Gateway:
    """A gateway ready to start. Reads and checks every file first; raises one clear error."""
    require_free_port(settings.gateway.host, settings.gateway.port, option="--port or [gateway] port")
    site = load_site(settings.site_path)
    detector = open_detector(
        settings.detector.model,
        settings.detector.device,
        engine=settings.detector.backend,
        threads=settings.detector.threads,
        max_batch=settings.detector.max_batch,
    )
    spool_settings = SpoolSettings(file=settings.data_path / "spool.db")
    spool = Spool(spool_settings)
    with spool.transaction() as transaction:
        create_tables(transaction.connection)
    broker = _embedded_broker(settings)
    url = BrokerUrl.parse(settings.broker.url) if broker is None else broker.url
    intake = _gateway_intake(
        settings, url, site_id=site.site_id, spool=spool, spool_settings=spool_settings, supervisor=supervisor
    )
    outbox_wake = threading.Event()
    link = MqttLink(
        url,
        client_id=f"street721-gateway-{site.site_id}-out",
        tls=_tls(settings),
        listener=Listener(_presence_topic(settings), lambda payload: outbox.meet_centre(payload)),  # noqa: PLW0108  it is made below
    )
    outbox = IncidentOutbox(spool, link, outbox_wake)
    sink = _sink(settings, spool, site.site_id)
    references = load_references(settings.site_path, site.cameras)
    watch = CameraWatch(
        spool,
        _calibrations(site),
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
        references=references,
        unknowns=UnknownWatch(spool, references, site.classes) if settings.frames.find_unknown else None,
    )
    health = GatewayHealth(spool=spool, source=intake.source, sink=sink, detector=detector.description, watch=watch)
    return Gateway(
        spool=spool,
        broker=broker,
        source=intake.source,
        writer=intake.writer,
        link=link,
        workers=[
            *_consumers(
                settings,
                site,
                detector=detector,
                spool=spool,
                watch=watch,
                intake=intake,
                outbox_wake=outbox_wake,
                supervisor=supervisor,
            ),
            Worker("outbox", outbox.step, wake=outbox_wake, idle_s=_OUTBOX_RETRY_S, on_failure=supervisor.fail),
            _janitor(settings, spool, sink, supervisor),
        ],
        sink=sink,
        http=HealthServer(settings.gateway.host, settings.gateway.port, health),
        announce_broker=lambda broker_url: write_broker_file(settings.data_path, broker_url),
        prepare=lambda: detector.prepare(camera.size_px for camera in site.cameras.values()),
        description=f"{site.site_id}: {len(site.cameras)} cameras, {len(site.sensors)} sensors; {detector.description}",
    )


def _calibrations(site: Site) -> dict[str, str]:
    return {camera.id: repr(camera) for camera in site.config.cameras}


def _gateway_intake(
    settings: Settings,
    url: BrokerUrl,
    *,
    site_id: str,
    spool: Spool,
    spool_settings: SpoolSettings,
    supervisor: Supervisor,
) -> _Intake:
    root = settings.topics.root
    mqtt = MqttSettings(url=url, client_id=f"street721-gateway-{site_id}", tls=_tls(settings))
    inbox = Inbox(max_messages=mqtt.inbox_max_messages, max_bytes=mqtt.inbox_max_bytes)
    source = MqttSource(
        mqtt,
        filters=subscription_filters(root, site_id),
        inbox=inbox,
        classify=topic_classifier(root),
        on_failure=lambda: supervisor.fail("mqtt", _failure_of(source)),
    )
    wake = {kind: threading.Event() for kind in MessageKind}
    writer = SpoolWriter(
        spool_settings,
        inbox=inbox,
        spool=spool,
        source=source,
        wake=wake,
        on_failure=lambda: supervisor.fail("spool", _failure_of(writer)),
    )
    return _Intake(source, writer, wake)


def _consumers(
    settings: Settings,
    site: Site,
    *,
    detector: Detector,
    spool: Spool,
    watch: CameraWatch,
    intake: _Intake,
    outbox_wake: threading.Event,
    supervisor: Supervisor,
) -> list[Worker]:
    """The threads that read the spool."""
    root = settings.topics.root
    feed, letters = IncidentFeed(root, outbox_wake), DeadLetterLog()
    incidents = SiteIncidents(spool, site)
    readings = ReadingConsumer(spool=spool, site=site, incidents=incidents, feed=feed, letters=letters, topic_root=root)
    frames = FrameConsumer(
        spool=spool,
        site=site,
        detector=detector,
        incidents=incidents,
        feed=feed,
        letters=letters,
        topic_root=root,
        settings=BatcherSettings(
            max_batch=settings.detector.max_batch,
            max_pending_per_camera=settings.frames.max_pending_per_camera,
            min_window_s=settings.frames.min_window_ms / 1000,
            max_window_s=settings.frames.max_window_ms / 1000,
        ),
        watch=watch,
        sampling=SamplingSettings() if settings.frames.sampling == "deadline" else None,
    )
    fail = supervisor.fail
    return [
        Worker("readings", readings.step, wake=intake.wake[MessageKind.READING], idle_s=_IDLE_S, on_failure=fail),
        Worker(
            "frames",
            frames.step,
            wake=intake.wake[MessageKind.FRAME],
            idle_s=_IDLE_S,
            on_failure=fail,
            on_end=frames.close,
        ),
        Worker("cameras", watch.check_silence, wake=threading.Event(), idle_s=_CAMERAS_EVERY_S, on_failure=fail),
    ]


def _janitor(settings: Settings, spool: Spool, sink: InfluxSink | None, supervisor: Supervisor) -> Worker:
    janitor = Janitor(spool, sink_cursor=sink, keep_hours=settings.readings.keep_hours)
    return Worker("janitor", janitor.step, wake=threading.Event(), idle_s=_JANITOR_EVERY_S, on_failure=supervisor.fail)


def build_centre(settings: Settings, supervisor: Supervisor) -> Centre:
    """A centre ready to run. Reads and checks every file first; raises one clear error."""
    require_free_port(settings.centre.host, settings.centre.port, option="--port or [centre] port")
    load_site(settings.site_path)
    policy = load_policy(settings.site_path / "policy.toml")
    url = _centre_broker_url(settings)
    settings.data_path.mkdir(parents=True, exist_ok=True)
    engine = open_engine(f"sqlite:///{settings.data_path / 'orders.db'}")
    migrate(engine)
    store, queries = OrderStore(engine, policy), OrderQueries(engine)
    metrics, hub = CentreMetrics(queries), EventHub(queries)
    link = MqttLink(url, client_id="street721-centre-out", tls=_tls(settings))
    presence_wake = threading.Event()
    presence = Presence(link, _presence_topic(settings), centre_id(settings.data_path), presence_wake)
    source, inbox = _centre_intake(settings, url, presence, supervisor)
    return Centre(
        engine=engine,
        source=source,
        link=link,
        consumer=IncidentConsumer(inbox, source, IncidentIntake(store, metrics), on_failure=supervisor.fail),
        outboxes=[
            Outbox(name, store, queries, link, metrics, topic_root=settings.topics.root, failures=(LinkError,))
            for name in FEEDS
        ],
        workers=[
            _housekeeping(store, supervisor),
            Worker("presence", presence.step, wake=presence_wake, idle_s=_OUTBOX_RETRY_S, on_failure=supervisor.fail),
        ],
        app=_centre_app(settings, queries, hub=hub, metrics=metrics, policy=policy, source=source),
        hub=hub,
        host=settings.centre.host,
        port=settings.centre.port,
    )


def _housekeeping(store: OrderStore, supervisor: Supervisor) -> Worker:
    def prune() -> bool:
        with suppress(StoreUnavailableError):  # the intake says that the database is away; there is a next hour
            store.prune(datetime.now(UTC) - _KEEP_SEEN)
        return False

    return Worker("housekeeping", prune, wake=threading.Event(), idle_s=_PRUNE_EVERY_S, on_failure=supervisor.fail)


def _centre_intake(
    settings: Settings, url: BrokerUrl, presence: Presence, supervisor: Supervisor
) -> tuple[MqttSource, Inbox]:
    mqtt = MqttSettings(url=url, client_id="street721-centre", tls=_tls(settings))
    inbox = Inbox(max_messages=mqtt.inbox_max_messages, max_bytes=mqtt.inbox_max_bytes)
    source = MqttSource(
        mqtt,
        filters=(f"{settings.topics.root}/+/incidents/+",),
        inbox=inbox,
        classify=lambda _topic: None,  # one kind only: everything goes to the intake
        on_subscribed=presence.subscribed,
        on_failure=lambda: supervisor.fail("mqtt", _failure_of(source)),
    )
    return source, inbox


def _centre_app(
    settings: Settings,
    queries: OrderQueries,
    *,
    hub: EventHub,
    metrics: CentreMetrics,
    policy: Policy,
    source: MqttSource,
) -> FastAPI:
    folder = settings.site_path
    app = create_app(
        queries=queries,
        hub=hub,
        metrics=metrics,
        policy=policy,
        site_map=SiteMap(grid=_geojson(folder / "grid.geojson"), zones=_geojson(folder / "zones.geojson")),
        version=version("street721"),
    )
    _add_readiness(app, source)
    mount_console(app, queries=queries, hub=hub, policy=policy)  # last: it takes every path that is left
    return app


def _embedded_broker(settings: Settings) -> NatsBroker | None:
    """The broker that comes along, started: its port is known only then."""
    if settings.broker.url != EMBEDDED:
        return None
    broker = NatsBroker(EmbeddedBrokerSettings(folder=settings.data_path / "broker", port=settings.broker.port))
    broker.start()
    return broker


def _centre_broker_url(settings: Settings) -> BrokerUrl:
    if settings.broker.url == EMBEDDED:
        return BrokerUrl.parse(read_broker_file(settings.data_path))
    return BrokerUrl.parse(settings.broker.url)


def _presence_topic(settings: Settings) -> str:
    return f"{settings.topics.root}/centre/status"


def _tls(settings: Settings) -> TlsFiles:
    part = settings.broker
    return TlsFiles(ca_file=part.ca_file, cert_file=part.cert_file, key_file=part.key_file)


def _sink(settings: Settings, spool: Spool, site_id: str) -> InfluxSink | None:
    part = settings.timeseries
    if part is None:
        return None
    return InfluxSink(
        SinkSettings(url=part.url, bucket=part.bucket, org=part.org, token=part.token, margin_s=part.margin_s),
        spool=spool,
        site=site_id,
    )


def _failure_of(part: MqttSource | SpoolWriter) -> BaseException:
    return part.failure or RuntimeError("ended without saying why")


def _geojson(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def _add_readiness(app: FastAPI, source: MqttSource) -> None:
    @app.get("/ready", tags=["operation"])
    def ready() -> JSONResponse:
        """200 when incidents can come in, 503 with the reason while the broker is away."""
        if source.is_up:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "waiting", "broker": source.problem}, status_code=503)
