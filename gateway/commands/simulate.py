"""`street721 sim …` and `street721 replay`: stand-ins for devices, and the truth beside what they send."""

from __future__ import annotations

import json
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from detectors.opening import DEFAULT_MODEL
from gateway.adapters.pictures import count_pictures, read_pictures
from gateway.adapters.recognise import recognise
from gateway.commands.progress import progress_bar
from gateway.config import scenario_file, site_folder
from gateway.errors import GatewayError
from gateway.logs import set_up_logs
from ingest.adapters.mqtt_link import Listener, MqttLink, OutgoingMessage
from ingest.broker_url import BrokerUrl, TlsFiles
from sim.adapters.gallery import write_gallery
from sim.adapters.load import LoadOptions, run_load
from sim.adapters.mqtt_publisher import BrokerAddress
from sim.adapters.render import render as render_scenario
from sim.adapters.replay import play
from sim.adapters.site_folder import write_site
from sim.adapters.street_run import StreetRun, truth_files
from sim.scenario import Scenario, WeatherPart, check_scenario, load_scenario
from sim.scoring.recognition import VEHICLE, Tally, table_rows, to_json
from sim.scoring.scoring import ScoringError, parse_events, parse_truth, score_reports
from sim.scoring.scoring import table_rows as score_rows
from sim.street.weather import Weather

sim_app = typer.Typer(
    no_args_is_help=True,
    help="Simulated streets: pictures, sensors, faults, and the truth.",
    rich_markup_mode="markdown",
)

_TOPIC_ROOT = "s721/v1"
_PATIENCE_S = 120.0
BrokerOption = Annotated[str, typer.Option(help="mqtt://[user:password@]host[:port], mqtts://… for TLS")]
CaOption = Annotated[Path | None, typer.Option(help="for mqtts: whom to trust")]
RootOption = Annotated[str, typer.Option(help="root of the topic tree")]
ScenarioArgument = Annotated[str, typer.Argument(help="a shipped site (demo), a scenario.toml, or a folder with one")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="another seed than the scenario's")]
WeatherOption = Annotated[Weather | None, typer.Option(help="this weather all the time")]


def _scenario(name: str, seed: int | None = None, weather: Weather | None = None) -> tuple[Scenario, Path]:
    file = scenario_file(name)
    changes: dict[str, object] = {}
    if seed is not None:
        changes["seed"] = seed
    if weather is not None:
        changes["weather"] = (WeatherPart(kind=weather),)
    played = load_scenario(file).model_copy(update=changes)
    if seed is not None:
        check_scenario(played, file=f"{file} with --seed {seed}")
    return played, file


@sim_app.command("site")
def site(scenario: ScenarioArgument, out: Annotated[Path, typer.Option(help="folder to write to")]) -> None:
    """Generate the site folder of a scenario: cameras with control points, sensors, zones, grid.

    Example:

        street721 sim site my-street.toml --out my-street/
    """
    played, file = _scenario(scenario)
    with _writing(out):
        paths = write_site(played, out, file=str(file))
    sys.stdout.write("".join(f"{path}\n" for path in paths))


@sim_app.command("render")
def render(
    scenario: ScenarioArgument,
    out: Annotated[Path, typer.Option(help="folder to write to")],
    seconds: Annotated[float, typer.Option(min=0.1, help="how much of the scenario")] = 60.0,
    fps: Annotated[float | None, typer.Option(min=0.01, max=60, help="frames per second of every camera")] = None,
    weather: WeatherOption = None,
    seed: SeedOption = None,
) -> None:
    """Write a scenario to disk: frames, truth, true incidents, readings, and the site folder.

    The same scenario, seed and time give the same bytes.

    Examples:

        street721 sim render demo --out work/demo --seconds 60 --fps 2

        street721 sim render demo --out work/rain --seconds 25 --fps 2 --weather rain
    """
    played, file = _scenario(scenario, seed, weather)
    if fps is not None:
        cameras = tuple(camera.model_copy(update={"frames_per_s": fps}) for camera in played.cameras)
        played = played.model_copy(update={"cameras": cameras})
    policy = _policy(file).read_bytes()
    with progress_bar("frames") as advance, _writing(out):
        done = render_scenario(played, out, seconds=seconds, file=str(file), progress=advance)
        (out / "site" / "policy.toml").write_bytes(policy)
    sys.stdout.write(
        f"{out}: {done.frames} frames, {done.objects} objects, {done.readings} readings, {done.incidents} incidents\n"
    )


@sim_app.command("run")
def run(
    broker: BrokerOption,
    scenario: ScenarioArgument = "demo",
    speed: Annotated[
        float, typer.Option(min=0.01, max=1000, help="times real time; above 1 one round is played")
    ] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="how much of the scenario; without it, until Ctrl-C")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="folder for truth.jsonl and events.jsonl")] = None,
    events: Annotated[Path | None, typer.Option(help="file for the incidents that the product publishes")] = None,
    weather: WeatherOption = None,
    seed: SeedOption = None,
    topic_root: RootOption = _TOPIC_ROOT,
    ca_file: CaOption = None,
) -> None:
    """Live a scenario over MQTT: its sensors report, its cameras take pictures, its faults happen.

    With --truth and --events, `sim score` can tell afterwards how well the product saw it.

    Examples:

        street721 sim run --broker mqtt://127.0.0.1:1883

        street721 sim run my-street.toml --broker mqtt://127.0.0.1:1883 --truth work/t --events work/t/product.jsonl
    """
    set_up_logs()
    played, _ = _scenario(scenario, seed, weather)
    if speed > 1 and seconds is None:
        if played.loop_s is None:
            raise typer.BadParameter("a scenario without loop_s needs --seconds to run faster", param_hint="--speed")
        seconds = played.loop_s
    with ExitStack() as stack:
        listener = None
        if events is not None:
            with _writing(events):
                events.parent.mkdir(parents=True, exist_ok=True)
                heard = stack.enter_context(events.open("wb", buffering=0))
            listener = Listener(f"{topic_root}/{played.site.id}/incidents/+", lambda line: _note(heard.write, line))
        with _writing(truth):
            files = stack.enter_context(truth_files(truth))
        publish, stop = stack.enter_context(_device(broker, "s721-sim", ca_file, listener))
        life = StreetRun(played, topic_root, publish, stop, speed=speed, seconds=seconds, truth=files)
        until = "Ctrl-C" if seconds is None else f"second {seconds:g}"
        sys.stderr.write(
            f"site {played.site.id}: {len(played.cameras)} cameras, {len(played.built_fleet().sensors)} sensors, "
            f"{speed:g} x real time until {until}\n"
        )
        life.live()
        sent = life.sent
    sys.stderr.write(
        f"sent {sent.readings} readings, {sent.frames} frames ({sent.skipped} came too late); "
        f"{sent.incidents} true incidents\n"
    )


@sim_app.command("load")
def load(
    broker: BrokerOption,
    sensors: Annotated[int, typer.Option(min=1, max=1_000_000, help="devices")] = 58_000,
    rate: Annotated[float, typer.Option(min=1, max=1_000_000, help="messages per second, all together")] = 12_000,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="end by itself; without it, Ctrl-C")] = None,
    connections: Annotated[int, typer.Option(min=1, max=1000, help="MQTT connections")] = 8,
    qos: Annotated[int, typer.Option(min=0, max=1)] = 1,
    site_id: Annotated[str, typer.Option("--site", help="site id in the topics")] = "load",
    topic_root: RootOption = _TOPIC_ROOT,
    ca_file: CaOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as one JSON object")] = False,
) -> None:
    """Drive a broker with the readings of a whole city, and say who was slow if the rate was not reached.

    Example:

        street721 sim load --broker mqtt://127.0.0.1:1883 --sensors 58000 --rate 12000 --seconds 60
    """
    url = BrokerUrl.parse(broker)
    options = LoadOptions(
        broker=BrokerAddress(
            host=url.host,
            port=url.port,
            username=url.username,
            password=url.password,
            tls=_tls_context(ca_file) if url.tls else None,
        ),
        topic_root=topic_root,
        site=site_id,
        sensors=sensors,
        rate=rate,
        seconds=seconds,
        connections=connections,
        qos=qos,
    )
    stop = _stopped_by_signals()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("messages", total=None if seconds is None else rate * seconds)
        report = run_load(options, stop, on_progress=lambda now: progress.update(task, completed=now.sent))
    facts = asdict(report)
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    for name, value in facts.items():
        sys.stdout.write(f"{name:>16}  {value:.4g}\n" if isinstance(value, float) else f"{name:>16}  {value}\n")


@sim_app.command("score")
def score(
    truth: Annotated[Path, typer.Option(help="folder with events.jsonl, as `sim render` and `sim run` write it")],
    events: Annotated[Path, typer.Option(help="incidents of the product: lines of `judge --json`, or CloudEvents")],
    max_distance_m: Annotated[float, typer.Option(min=0.01, help="how far a right place may lie away")] = 3.0,
    slack_s: Annotated[float, typer.Option(min=0, help="how far times may lie apart")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Compare incidents with the truth, one to one: precision, recall, duplicates, time and place errors.

    Examples:

        street721 judge work/demo/detections.jsonl --site work/demo/site --json > work/demo/judged.jsonl

        street721 sim score --truth work/demo --events work/demo/judged.jsonl
    """
    true_file = truth / "events.jsonl" if truth.is_dir() else truth
    result = score_reports(
        _parsed(true_file, parse_truth), _parsed(events, parse_events), max_distance_m=max_distance_m, slack_s=slack_s
    )
    if as_json:
        sys.stdout.write(result.to_json() + "\n")
        return
    columns = list(score_rows(result))
    table = Table(*(heading.replace("_", "\n") for heading, _ in columns))
    for cells in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*cells)
    Console().print(table)


@sim_app.command("eval")
def evaluate(
    rendered: Annotated[list[Path], typer.Argument(help="folders that `sim render` wrote")],
    model: Annotated[str, typer.Option(help="a shipped model, or the path of a model card")] = DEFAULT_MODEL,
    min_px: Annotated[float, typer.Option(min=1, help="longer side of the things that count")] = 32.0,
    save: Annotated[Path | None, typer.Option(help="folder for the pictures with detections and truth drawn")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Run a detector over rendered frames and print precision and recall per weather and class.

    Example:

        street721 sim eval work/day work/rain work/night --model street_v2
    """
    with progress_bar("pictures") as advance:
        tallies = recognise(rendered, model, min_px=min_px, save=save, progress=advance)
    if as_json:
        sys.stdout.write(to_json(tallies) + "\n")
        return
    for weather, table in tallies.items():
        _print_tallies(weather, table)


@sim_app.command("gallery")
def gallery(
    scenario: ScenarioArgument = "demo",
    out: Annotated[Path, typer.Option(help="JPEG to write")] = Path("gallery.jpg"),
    camera: Annotated[str | None, typer.Option(help="camera id; without it, the first one")] = None,
    second: Annotated[float, typer.Option(min=0, help="which second of the scenario")] = 30.0,
    weather: Annotated[
        list[Weather] | None, typer.Option(help="which weathers; default: day, dusk, night, rain")
    ] = None,
) -> None:
    """Draw one moment of a scenario in several weathers, side by side.

    Example:

        street721 sim gallery demo --second 40 --out gallery.jpg
    """
    played, file = _scenario(scenario)
    chosen = tuple(weather or (Weather.DAY, Weather.DUSK, Weather.NIGHT, Weather.RAIN))
    with _writing(out):
        write_gallery(played, out, camera_id=camera, second=second, weathers=chosen, file=str(file))
    sys.stdout.write(f"{out}\n")


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
        _device(broker, f"s721-replay-{camera}", ca_file, None) as (publish, stop),
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
    broker: str, client_id: str, ca_file: Path | None, listener: Listener | None
) -> Iterator[tuple[Callable[[str, bytes], None], threading.Event]]:
    """A connected device: (publish, stop); SIGTERM and Ctrl-C set stop, and what was sent is acknowledged first."""
    stop = _stopped_by_signals()
    url = BrokerUrl.parse(broker)
    link = MqttLink(url, client_id=client_id, tls=TlsFiles(ca_file=ca_file), listener=listener)
    link.start()
    try:
        yield lambda topic, payload: link.submit(OutgoingMessage(topic, payload), timeout_s=_PATIENCE_S), stop
        link.flush(timeout_s=_PATIENCE_S)
    finally:
        link.close()


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Whom a connection trusts; raises GatewayError for a file that holds no certificate."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise GatewayError(f"--ca-file {ca_file}: {error.strerror or error}; it should be a PEM certificate") from error


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _writing(path: Path | None) -> Iterator[None]:
    """What cannot be written is one line: raises GatewayError."""
    try:
        yield
    except OSError as error:
        raise GatewayError(f"{error.filename or path}: cannot be written: {error.strerror}") from error


def _note(write: Callable[[bytes], object], payload: bytes) -> None:
    """An event as one line; an emptied retained message says nothing."""
    if payload:
        write(json.dumps(json.loads(payload), ensure_ascii=False).encode() + b"\n")


def _policy(scenario: Path) -> Path:
    """The policy beside the scenario, or that of the shipped demo."""
    own = scenario.parent / "policy.toml"
    return own if own.is_file() else site_folder("demo") / "policy.toml"


_Line = TypeVar("_Line")


def _parsed(file: Path, parse: Callable[[Iterable[str]], Iterable[_Line]]) -> list[_Line]:
    """The lines of a file; raises GatewayError, one line that names it."""
    try:
        return list(parse(file.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise GatewayError(f"{file}: cannot be read: {error.strerror}") from error
    except (ScoringError, UnicodeDecodeError) as error:
        raise GatewayError(f"{file}: {error}") from error


def _print_tallies(weather: str, tallies: dict[str, Tally]) -> None:
    table = Table("class", "things", "precision", "recall", title=weather, title_justify="left")
    for cells in table_rows(tallies):
        table.add_row(*cells, end_section=cells[0] == VEHICLE)
    Console().print(table)
