"""`street721 bench`: how fast this machine is, beside what else could do the same work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cameras import as_text as cameras_as_text
from bench.cameras import bench_cameras
from bench.drawn_jpegs import drawn_jpegs
from bench.geofence import as_text as geofence_as_text
from bench.geofence import bench_geofence
from bench.incidents.catalogue import catalogue
from bench.incidents.run import as_json as incidents_facts
from bench.incidents.run import as_text as incidents_as_text
from bench.incidents.run import bench_incidents, write_folders
from bench.inference import as_text, bench_inference, read_jpegs
from bench.long_run import as_text as history_as_text
from bench.long_run import bench_history
from bench.occupants import as_text as occupants_as_text
from bench.occupants import bench_occupants
from bench.sampling import as_text as sampling_as_text
from bench.sampling import bench_sampling
from detectors.opening import DEFAULT_MODEL, open_detector
from gateway.commands.progress import progress_bar

bench_app = typer.Typer(
    name="bench",
    help="Measure speed on this machine, each figure beside a reference taken in the same run.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_DRAWN_PX = (1920, 1080)


@bench_app.callback()
def _bench() -> None:
    """Keep `bench inference` a command with a name of its own."""


@bench_app.command("inference")
def inference(
    frames: Annotated[Path | None, typer.Option(help="folder of JPEGs; default: streets drawn at 1920×1080 px")] = None,
    model: Annotated[str, typer.Option(help="a shipped model, or the path of a model card")] = DEFAULT_MODEL,
    batch: Annotated[int | None, typer.Option(min=1, help="most pictures per forward; default: the engine's")] = None,
    device: Annotated[str, typer.Option(help="auto | cpu | gpu | cuda:N")] = "auto",
    engine: Annotated[str, typer.Option(help="auto | openvino | torch | onnxruntime")] = "auto",
    count: Annotated[int, typer.Option(min=1, max=2000, help="pictures per round, the folder's repeated")] = 32,
    rounds: Annotated[int, typer.Option(min=1, help="rounds; every way is run once in each, in turns")] = 5,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """JPEG to boxes: frames per second of this product, of its parts alone, and of `YOLO.predict` where installed.

    Examples:

        street721 bench inference

        street721 bench inference --frames pictures/ --model street_v2 --batch 4

        street721 bench inference --frames pictures/ --json --save bench/results/inference.jsonl
    """
    jpegs = drawn_jpegs(count, size_px=_DRAWN_PX) if frames is None else read_jpegs(frames, count=count)
    with progress_bar("inference") as advance:
        result = bench_inference(
            jpegs, model, batch=batch, device=device, engine=engine, rounds=rounds, progress=advance
        )
    _tell(result.to_json(), as_text(result), save=save, as_json=as_json)


@bench_app.command("cameras")
def cameras(
    count: Annotated[int, typer.Option("--cameras", min=1, max=900, help="how many, at 640×360 px")] = 64,
    faulty: Annotated[int, typer.Option(min=0, help="of them dead, frozen, flooding or sending garbage, in turn")] = 8,
    fps: Annotated[float, typer.Option(min=0.1, max=30, help="frames per second of each")] = 1.0,
    seconds: Annotated[
        float, typer.Option(min=5, help="with faulty cameras; a fifth more before, with good ones")
    ] = 600,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """A whole gateway with many cameras: what faulty ones cost the healthy ones, beside a time without faults.

    Examples:

        street721 bench cameras

        street721 bench cameras --cameras 16 --faulty 4 --seconds 60 --json
    """
    if faulty >= count:
        raise typer.BadParameter(f"{faulty} of {count} leave no healthy camera to look at", param_hint="--faulty")
    with progress_bar("cameras") as advance:
        result = bench_cameras(cameras=count, faulty=faulty, fps=fps, seconds=seconds, progress=advance)
    _tell(result.to_json(), cameras_as_text(result), save=save, as_json=as_json)


@bench_app.command("sampling")
def sampling(
    hours: Annotated[int, typer.Option(min=1, max=24, help="hours of the day, spread evenly over it")] = 6,
    missed: Annotated[float, typer.Option(min=0, max=0.9, help="share of sightings that the detector misses")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="another seed, another day")] = 1,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """Inferences per camera and hour on a simulated day: by deadline, at five frames a second, and by Frigate's rule.

    An hour of the day takes two to three minutes of one core.

    Examples:

        street721 bench sampling --hours 2

        street721 bench sampling --hours 24 --missed 0 --json
    """
    with progress_bar("hours") as advance:
        result = bench_sampling(hours=hours, missed=missed, seed=seed, progress=advance)
    _tell(result.to_json(), sampling_as_text(result), save=save, as_json=as_json)


@bench_app.command("geofence")
def geofence(
    places: Annotated[int, typer.Option(min=1000, help="places on the ground, looked up at once")] = 1_000_000,
    cells: Annotated[int, typer.Option(min=4, help="unit grid cells of the town, a hectare each")] = 10_000,
    zones: Annotated[int, typer.Option(min=1, help="zones of the town, four to a street")] = 1_000,
    near: Annotated[float, typer.Option(min=0, max=0.9, help="share of places metres from a zone's border")] = 0.25,
    on_border: Annotated[float, typer.Option(min=0, max=0.1, help="share exactly on borders and corners")] = 0.05,
    rounds: Annotated[int, typer.Option(min=1, help="rounds; every way is run once in each, in turns")] = 5,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """Cell and zones of many places, on one core: by this product, by shapely in bulk, and by a loop; all must agree.

    Examples:

        street721 bench geofence

        street721 bench geofence --places 100000 --near 0.9 --json

        street721 bench geofence --save bench/results/geofence.jsonl
    """
    if zones > 4 * cells:
        raise typer.BadParameter(f"{cells} cells have too few streets for {zones}", param_hint="--zones")
    with progress_bar("geofence") as advance:
        result = bench_geofence(
            places=places,
            cells=cells,
            zones=zones,
            near=near,
            on_border=on_border,
            rounds=rounds,
            progress=advance,
        )
    _tell(result.to_json(), geofence_as_text(result), save=save, as_json=as_json)


@bench_app.command("history")
def history(
    frames: Annotated[int, typer.Option(min=100, help="frames of the camera, one a second of event time")] = 100_000,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """What the rules cost per frame at the end of a long run, beside a new camera and beside its beginning.

    Something new comes every 10 frames. 100,000 frames take about a minute of one core.

    Examples:

        street721 bench history

        street721 bench history --frames 1000000 --save bench/results/geofence.jsonl
    """
    with progress_bar("history") as advance:
        result = bench_history(frames=frames, progress=advance)
    _tell(result.to_json(), history_as_text(result), save=save, as_json=as_json)


@bench_app.command("incidents")
def incidents(
    only: Annotated[list[str] | None, typer.Option(help="a scenario's name; may be given several times")] = None,
    seed: Annotated[int, typer.Option(help="other chances for the same streets")] = 0,
    should_list: Annotated[bool, typer.Option("--list", help="name the scenarios and end")] = False,
    write: Annotated[Path | None, typer.Option(help="folder for each scenario as a site with frames and truth")] = None,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """How right the rules are when detectors, cameras and clocks go wrong, beside two timers as others have them.

    Each scenario is a street of some minutes with truth; its boxes come from geometry, with a detector's mistakes. The
    same boxes go through street721, through a timer on a tracker's ids and through a loiter timer that counts frames.
    A row tells F1 of events, reports per incident, the share of begins and ends that are right to a second or half the
    frame interval, and wrong cells. All of them take about a minute of one core.

    Examples:

        street721 bench incidents

        street721 bench incidents --only buses --only hand-over-10 --seed 3

        street721 bench incidents --only night --write /tmp/night

        street721 judge /tmp/night/night/frames.jsonl --site /tmp/night/night --json
    """
    if should_list:
        sys.stdout.writelines(f"{one.name:17}{one.says}\n" for one in catalogue(seed))
        return
    if write is not None:
        write_folders(write, only or (), seed=seed)
    with progress_bar("incidents") as advance:
        outcomes = bench_incidents(only or (), seed=seed, progress=advance)
    _tell(incidents_facts(outcomes, seed=seed), incidents_as_text(outcomes), save=save, as_json=as_json)


@bench_app.command("occupants")
def occupants(
    pictures: Annotated[Path, typer.Argument(help="folder of JPEGs of streets with vehicles")],
    model: Annotated[str, typer.Option(help="a shipped model, or the path of a model card")] = DEFAULT_MODEL,
    count: Annotated[int, typer.Option(min=1, help="pictures at most, the first by name")] = 60,
    save: Annotated[Path | None, typer.Option(help="file that gets one more JSON line")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the table")] = False,
) -> None:
    """Whether a vehicle is known again in other light, and another one told from it, beside plain correlation.

    Examples:

        street721 bench occupants pictures/

        street721 bench occupants pictures/ --count 20 --json
    """
    jpegs = read_jpegs(pictures, count=count, is_repeated=False)
    with progress_bar("occupants") as advance:
        result = bench_occupants(open_detector(model), jpegs, progress=advance)
    _tell(result.to_json(), occupants_as_text(result), save=save, as_json=as_json)


def _tell(facts: dict[str, Any], text: str, *, save: Path | None, as_json: bool) -> None:
    line = json.dumps(facts, ensure_ascii=False)
    if save is not None:
        save.parent.mkdir(parents=True, exist_ok=True)
        with save.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    sys.stdout.write((line if as_json else text) + "\n")
