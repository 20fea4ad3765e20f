"""`street721 sim` and `street721 replay`: stand-ins for devices."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.adapters.pictures import count_pictures, read_pictures
from gateway.config import site_folder
from gateway.logs import set_up_logs
from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.broker_url import BrokerUrl, TlsFiles
from sim.adapters.replay import play
from sim.adapters.street_run import StreetRun
from sim.scenario import load_scenario, load_sensors

_TOPIC_ROOT = "s721/v1"
_PATIENCE_S = 120.0
BrokerOption = Annotated[str, typer.Option(help="mqtt://[user:password@]host[:port], mqtts://… for TLS")]


def sim(
    broker: BrokerOption,
    site: Annotated[str, typer.Option(help="a shipped site, or the path of a site folder with scenario.toml")] = "demo",
    topic_root: Annotated[str, typer.Option(help="root of the topic tree")] = _TOPIC_ROOT,
    ca_file: Annotated[Path | None, typer.Option(help="for mqtts: whom to trust")] = None,
    for_s: Annotated[float | None, typer.Option("--for", help="stop after this many seconds")] = None,
) -> None:
    """Pretend to be the sensors and the camera of a site, with scripted troubles.

    Example:

        street721 sim --broker mqtt://127.0.0.1:1883 --site demo
    """
    set_up_logs()
    folder = site_folder(site)
    scenario = load_scenario(folder / "scenario.toml")
    site_id, sensors = load_sensors(folder / "site.toml")
    with _device(broker, "s721-sim", ca_file) as (publish, stop):
        if for_s is not None:
            threading.Timer(for_s, stop.set).start()
        run = StreetRun(scenario, sensors, site_id, topic_root, publish, stop)
        run.live()
        sys.stderr.write(f"sent {run.sent.readings} readings, {run.sent.frames} frames, {run.sent.broken} broken\n")


def replay(
    source: Annotated[Path, typer.Argument(help="folder of pictures, or a video")],
    camera: Annotated[str, typer.Option(help="camera id to play")],
    broker: BrokerOption,
    fps: Annotated[float, typer.Option(min=0.01, max=120, help="pictures per second")] = 5.0,
    site: Annotated[str, typer.Option(help="site id in the topic")] = "demo",
    topic_root: Annotated[str, typer.Option(help="root of the topic tree")] = _TOPIC_ROOT,
    loop: Annotated[int, typer.Option(min=1, help="play it this many times; a single picture is a still camera")] = 1,
    ca_file: Annotated[Path | None, typer.Option(help="for mqtts: whom to trust")] = None,
) -> None:
    """Publish real pictures as a camera does, each stamped with the time at which it is sent.

    Examples:

        street721 replay frames/ --camera cam-01 --fps 5 --broker mqtt://127.0.0.1:1883

        street721 replay garbage.jpg --camera cam-01 --fps 1 --loop 60 --broker mqtt://127.0.0.1:1883
    """
    set_up_logs()
    total = count_pictures([source])
    pictures = chain.from_iterable((item.jpeg for item in read_pictures([source])) for _ in repeat(None, loop))
    with (
        _device(broker, f"s721-replay-{camera}", ca_file) as (publish, stop),
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress,
    ):
        task = progress.add_task(f"{camera} at {fps:g}/s", total=None if total is None else total * loop)
        sent = play(
            pictures,
            topic=f"{topic_root}/{site}/cameras/{camera}/frame",
            frames_per_s=fps,
            publish=publish,
            stop=stop,
            on_frame=lambda: progress.advance(task),
        )
    sys.stderr.write(f"sent {sent} frames\n")


@contextmanager
def _device(
    broker: str, client_id: str, ca_file: Path | None
) -> Iterator[tuple[Callable[[str, bytes], None], threading.Event]]:
    """A connected device: (publish, stop); SIGTERM and Ctrl-C set stop, and what was sent is acknowledged first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    url = BrokerUrl.parse(broker)
    link = MqttLink(url, client_id=client_id, tls=TlsFiles(ca_file=ca_file))
    link.start()
    try:
        yield lambda topic, payload: link.submit(OutgoingMessage(topic, payload), timeout_s=_PATIENCE_S), stop
        link.flush(timeout_s=_PATIENCE_S)
    finally:
        link.close()
