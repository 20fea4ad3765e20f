"""`street721 sim …` over the console script's own entry: what it writes, and one line for what goes wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.config import scenario_file
from gateway.errors import ConfigError
from geofence.adapters.site_folder import load_site
from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.adapters.nats_broker import NatsBroker
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings
from tests.sim.conftest import SMALL, lines_of


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    log: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process; `sim run` sets up logs and signals and needs one of its own."""
    monkeypatch.setenv("COLUMNS", "120")

    def command(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["street721", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    return command


def run_apart(*arguments: str | Path) -> Done:
    """A command as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scenario") / "small.toml"
    file.write_text(SMALL, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def rendered(scenario: Path) -> Path:
    """Four seconds of the small street, made by the command itself."""
    out = scenario.parent / "rendered"
    done = run_apart("sim", "render", scenario, "--out", out, "--seconds", "4", "--fps", "0.5")
    assert done.out.startswith(f"{out}: 2 frames, ")
    assert (done.status, done.log) == (0, "")
    return out


def test_site_writes_a_folder_that_the_product_reads(run: Run, scenario: Path, tmp_path: Path) -> None:
    done = run("sim", "site", scenario, "--out", tmp_path / "site")
    assert done.out.split() == [
        str(tmp_path / "site" / name) for name in ("site.toml", "zones.geojson", "grid.geojson")
    ]
    assert (done.status, done.log) == (0, "")
    assert list(load_site(tmp_path / "site").cameras) == ["cam-a"]


def test_the_rendered_site_is_whole(run: Run, rendered: Path) -> None:
    assert sorted(path.name for path in (rendered / "site").iterdir()) == [
        "grid.geojson", "policy.toml", "site.toml", "zones.geojson",
    ]  # fmt: skip
    assert run("check-config", "--site", rendered / "site").status == 0


def test_render_takes_the_frame_rate_of_the_command(rendered: Path) -> None:
    assert [row["second"] for row in lines_of(rendered / "truth.jsonl")] == [0.0, 2.0]


def test_render_takes_weather_and_seed_of_the_command(run: Run, scenario: Path, rendered: Path, tmp_path: Path) -> None:
    done = run(
        "sim", "render", scenario, "--out", tmp_path, "--seconds", "1", "--weather", "overcast", "--seed", "9"
    )  # fmt: skip
    assert (done.status, done.log) == (0, "")
    (row,) = lines_of(tmp_path / "truth.jsonl")
    assert row["weather"] == "overcast"
    assert row["objects"] != lines_of(rendered / "truth.jsonl")[0]["objects"]


def test_the_policy_beside_the_scenario_goes_along(run: Run, scenario: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "scenario.toml").write_bytes(scenario.read_bytes())
    (site / "policy.toml").write_text("# mine\n", encoding="utf-8")
    assert run("sim", "render", site, "--out", tmp_path, "--seconds", "0.5").status == 0
    assert (site / "policy.toml").read_text(encoding="utf-8") == "# mine\n"
    assert (site / "site.toml").is_file()


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A truth of two incidents, and a product that found the first one two seconds late and one that is none."""
    place = {"lat": 39.9153, "lng": 116.4111, "cell": "110101001001007"}
    began_at, due_at = "2026-06-01T09:00:00+08:00", "2026-06-01T09:00:03+08:00"
    rows = [
        {"id": f"truth-000{number}", "kind": kind, "also": [], **place, "zone": None, "subject": "car", "actors": [],
         "sources": ["cam-a"], "began_at": began_at, "due_at": due_at, "ended_at": None}
        for number, kind in ((1, "illegal_parking"), (2, "exposed_garbage"))
    ]  # fmt: skip
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = [
        {"event": "opened", "incident_id": kind, "kind": kind, **place, "at": "2026-06-01T09:00:05+08:00"}
        for kind in ("illegal_parking", "blocked_sidewalk")
    ]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return tmp_path


def test_score_prints_one_object(run: Run, judged: Path) -> None:
    done = run("sim", "score", "--truth", judged, "--events", judged / "judged.jsonl", "--json")
    assert (done.status, done.log) == (0, "")
    (line,) = done.out.splitlines()
    total = json.loads(line)["all"]
    assert (total["precision"], total["recall"]) == (0.5, 0.5)


def _cells(line: str) -> list[str]:
    return line.strip("│").split("│")


def test_score_prints_a_table(run: Run, judged: Path) -> None:
    done = run("sim", "score", "--truth", judged / "events.jsonl", "--events", judged / "judged.jsonl")
    assert (done.status, done.log) == (0, "")
    rows = {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in map(_cells, done.out.splitlines())}
    assert rows["precision"] == ["0.000", "–", "1.000", "0.500"]
    assert rows["recall"] == ["–", "0.000", "1.000", "0.500"]


def test_the_faultless_detections_score_well(run: Run, rendered: Path, tmp_path: Path) -> None:
    judged = run("judge", rendered / "detections.jsonl", "--site", rendered / "site", "--json")
    assert judged.status == 0
    (tmp_path / "judged.jsonl").write_text(judged.out, encoding="utf-8")
    done = run("sim", "score", "--truth", rendered, "--events", tmp_path / "judged.jsonl", "--json")
    assert (done.status, done.log) == (0, "")
    assert json.loads(done.out)["false_alarms"] == []


def test_eval_prints_counts_by_weather_and_class(run: Run, rendered: Path, tmp_path: Path) -> None:
    done = run("sim", "eval", rendered, "--min-px", "16", "--save", tmp_path / "drawn", "--json")
    assert done.status == 0
    tallies = json.loads(done.out)
    assert list(tallies) == ["day"]
    assert tallies["day"]["vehicle"]["things"] == 2
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "day_cam-a_000001.jpg", "day_cam-a_000002.jpg",
    ]  # fmt: skip
    table = run("sim", "eval", rendered)
    assert table.status == 0
    assert "vehicle" in table.out


def test_gallery_names_what_it_wrote(run: Run, scenario: Path, tmp_path: Path) -> None:
    done = run("sim", "gallery", scenario, "--out", tmp_path / "g.jpg", "--second", "2", "--weather", "day")
    assert (done.status, done.out, done.log) == (0, f"{tmp_path / 'g.jpg'}\n", "")
    assert (tmp_path / "g.jpg").stat().st_size > 5000


BAD = "BAD"
FILE = "FILE"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["site", "nowhere", "--out", "/proc/none"], "scenario 'nowhere': no such file or folder with a scenario.toml"),
        (["site", BAD, "--out", "/proc/none"], "bad.toml: seedd: is no key of this table; did you mean 'seed'?"),
        (["render", BAD, "--out", "/proc/none"], "bad.toml: seedd: is no key of this table; did you mean 'seed'?"),
        (["run", BAD, "--broker", "mqtt://127.0.0.1:1"], "bad.toml: seedd: is no key of this table"),
        (["gallery", BAD], "bad.toml: seedd: is no key of this table"),
        (["site", "SMALL", "--out", FILE], "file: cannot be written: File exists"),
        (["render", "SMALL", "--out", FILE], "file: cannot be written: File exists"),
        (["gallery", "SMALL", "--camera", "cam-z"], "there is no camera 'cam-z'; there are cam-a"),
        (["gallery", "SMALL", "--weather", "day", "--out", "/proc/none/g.jpg"], "/proc/none: cannot be written: "),
        (["run", "SMALL", "--broker", "mqtt://127.0.0.1:1", "--truth", FILE], "file: cannot be written: File exists"),
        (["run", "SMALL", "--broker", "http://h"], "http"),
        (["score", "--truth", "gone", "--events", FILE], "gone: cannot be read: No such file or directory"),
        (["score", "--truth", FILE, "--events", FILE], "file: line 1: is not JSON"),
        (["load", "--broker", "mqtts://127.0.0.1:1", "--ca-file", FILE], "file: [X509: NO_CERTIFICATE_OR_CRL_FOUND]"),
        (["load", "--broker", "mqtt://127.0.0.1:1"], "broker 127.0.0.1:1 cannot be reached: Connection refused"),
        (["eval", "gone"], "gone/truth.jsonl: cannot be read: No such file or directory; `sim render` writes it"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(
    run: Run, scenario: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "bad.toml").write_text(SMALL.replace("seed", "seedd", 1), encoding="utf-8")
    (tmp_path / "file").write_text("{\n", encoding="utf-8")
    names = {BAD: str(tmp_path / "bad.toml"), FILE: str(tmp_path / "file"), "SMALL": str(scenario)}
    start = run_apart if arguments[0] == "run" else run
    done = start("sim", *(names.get(word, word) for word in arguments))
    assert (done.status, done.out) == (1, "")
    (line,) = done.log.splitlines()
    assert line.startswith("street721: ")
    assert said in line


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "; render the folder again"),
        (b"\xff\xd8\xff", "truncated_jpeg: "),
    ],
)
def test_a_picture_that_is_gone_or_broken_is_not_counted_as_missed_things(
    run: Run, rendered: Path, tmp_path: Path, left: bytes | None, said: str
) -> None:
    folder = tmp_path / "rendered"
    shutil.copytree(rendered, folder)
    picture = folder / lines_of(folder / "truth.jsonl")[0]["images"][0]
    picture.unlink() if left is None else picture.write_bytes(left)
    done = run("sim", "eval", folder)
    assert (done.status, done.out) == (1, "")
    (line,) = done.log.splitlines()
    assert line.startswith(f"street721: {picture}: ")
    assert said in line


def test_a_fast_run_without_an_end_is_wrong_usage(scenario: Path) -> None:
    done = run_apart("sim", "run", scenario, "--broker", "mqtt://127.0.0.1:1", "--speed", "2")
    assert done.status == 2
    assert "needs --seconds" in done.log


def test_a_fast_run_of_a_scenario_that_repeats_plays_one_round(tmp_path: Path, broker: NatsBroker) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(SMALL.replace("\n\n", "\nloop_s = 40\n\n", 1), encoding="utf-8")
    url = f"mqtt://127.0.0.1:{broker.url.port}"
    done = run_apart("sim", "run", path, "--broker", url, "--speed", "40", "--truth", tmp_path / "truth")
    assert done.status == 0, done.log
    assert "40 x real time until second 40" in done.log
    assert lines_of(tmp_path / "truth" / "truth.jsonl")[-1]["second"] > 38


def test_a_scenario_is_found_by_name_folder_or_file(tmp_path: Path) -> None:
    assert scenario_file("demo").parts[-3:] == ("configs", "demo", "scenario.toml")
    own = tmp_path / "scenario.toml"
    own.write_text("", encoding="utf-8")
    assert scenario_file(str(tmp_path)) == scenario_file(str(own)) == own
    with pytest.raises(ConfigError, match=r"shipped: demo"):
        scenario_file(str(tmp_path / "gone"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsBroker]:
    running = NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "broker"))
    running.start()
    yield running
    running.stop()


def test_run_publishes_and_keeps_truth_and_what_the_product_says(
    broker: NatsBroker, scenario: Path, tmp_path: Path
) -> None:
    """A retained incident stands for the product: the run hears it as soon as it listens."""
    url, truth = str(broker.url), tmp_path / "truth"
    product = MqttLink(BrokerUrl.parse(url), client_id="product")
    product.start()
    assert product.wait_up(30)
    event = {"specversion": "1.0", "id": "e-1", "data": {"kind": "illegal_parking", "where": "路口"}}
    topic = "s721/v1/small/incidents/i-1"
    product.submit(OutgoingMessage(topic, json.dumps(event).encode(), retain=True), timeout_s=30)
    product.submit(OutgoingMessage("s721/v1/small/incidents/i-2", b"", retain=True), timeout_s=30)
    product.flush(timeout_s=30)
    product.close()
    done = run_apart(
        "sim", "run", scenario, "--broker", url, "--speed", "4", "--seconds", "8",
        "--truth", truth, "--events", truth / "product.jsonl",
    )  # fmt: skip
    assert done.status == 0, done.log
    assert "8 frames (0 came too late); 3 true incidents" in done.log.splitlines()[-1]
    assert lines_of(truth / "product.jsonl") == [event]
    assert [row["second"] for row in lines_of(truth / "truth.jsonl")] == [float(number) for number in range(8)]
    events = lines_of(truth / "events.jsonl")
    assert [row["kind"] for row in events] == ["illegal_parking", "exposed_garbage", "bin_overflow"]
    assert datetime.fromisoformat(events[0]["began_at"]).tzinfo is not None
