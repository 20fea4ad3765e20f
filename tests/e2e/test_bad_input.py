"""What senders do wrong is one clear line and a kept dead letter; the daemon goes on."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from tests.sites import ONE_CAMERA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Street

HUGE_HEADER = (
    b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 10_000, 10_000) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00" + b"\x00" * 64 + b"\xff\xd9"
)


def test_bad_messages_are_one_line_each_and_the_good_ones_still_count(street: Street) -> None:
    gateway = street.start_gateway()
    good = street.jpeg()
    cases = {
        "truncated_jpeg": ("cameras/cam-01/frame", good[: len(good) // 2]),
        "too_many_pixels": ("cameras/cam-01/frame", HUGE_HEADER),
        "invalid_utf8": ("sensors/bin-001", b'{"values": {"level": 1\xff}}'),
        "invalid_senml": ("sensors/bin-002", b'[{"n": "level"}]'),
        "implausible_time": ("sensors/bin-003", b'{"ts": "1970-01-01T00:00:00Z", "values": {"level": 3}}'),
        "no_numeric_value": ("sensors/bin-004", b'{"values": {"level": "full"}}'),
        "not_a_jpeg": ("cameras/cam-01/frame", b"<html>login</html>"),
    }
    for message in cases.values():
        street.publish([message])
    street.publish([("cameras/cam-01/frame", good), ("sensors/bin-005", b'{"values": {"level": 20}}')])
    street.wait_for(lambda: street.counts().get("dead_letters") == len(cases), "the dead letters")
    street.wait_for(lambda: street.counts().get("frames_inferred") == 1, "the good frame")
    street.wait_for(lambda: street.counts().get("readings_stored") == 1, "the good reading")
    kept = dict(street.stored("SELECT reason, payload FROM dead_letters"))
    assert kept == {reason: payload for reason, (_, payload) in cases.items()}
    lines = [line for line in gateway.log.splitlines() if "dead_letter" in line]
    assert len(lines) == len(cases)
    for reason, (topic, _) in cases.items():
        (line,) = [line for line in lines if f"reason={reason}" in line]
        assert f"topic=s721/v1/demo/{topic}" in line
    assert gateway.process.poll() is None


def test_a_camera_that_the_site_does_not_know_is_named_once(street: Street) -> None:
    gateway = street.start_gateway()
    for _ in range(3):
        street.publish([("cameras/cam-77/frame", street.jpeg())])
    street.wait_for(lambda: street.counts().get("frames_dropped.unknown_camera") == 3, "the frames")
    assert gateway.log.count("unknown_camera") == 1
    assert "camera_id=cam-77" in gateway.log


def _edited_site(folder: Path, name: str, old: str, new: str) -> Path:
    site = folder / "site"
    site.mkdir()
    for source in ONE_CAMERA.iterdir():
        (site / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    text = (site / name).read_text(encoding="utf-8")
    assert old in text
    (site / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return site


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("site.toml", "timezone =", "timezon =", "site.toml: timezon: unknown key 'timezon'; did you mean 'timezone'?"),
        ("policy.toml", 'lead = "HW"', 'lead = "XX"', "XX"),
    ],
    ids=["unknown key", "unknown department"],
)
def test_a_mistake_in_a_site_stops_the_start_with_one_line(
    street_folder: Street, tmp_path: Path, *, name: str, old: str, new: str, said: str
) -> None:
    site = _edited_site(tmp_path, name, old, new)
    done = street_folder.run("check-config", "--site", str(site))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert said in line


def test_three_points_on_one_line_are_no_calibration(street_folder: Street, tmp_path: Path) -> None:
    site = _edited_site(tmp_path, "site.toml", "timezone", "timezone")
    text = (site / "site.toml").read_text(encoding="utf-8")
    head = text[: text.index("gcps = [")]
    points = "".join(
        f"{{ px = [{100 + 100 * n}, {100 + 50 * n}], lng = {116.411 + n * 1e-5}, lat = {39.9152 + n * 1e-5} }},\n"
        for n in range(3)
    )
    (site / "site.toml").write_text(f"{head}gcps = [\n{points}]\n", encoding="utf-8")
    done = street_folder.run("check-config", "--site", str(site))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "cam-01" in line
    assert "line" in line or "4" in line


def test_a_polygon_that_crosses_itself_is_named(street_folder: Street, tmp_path: Path) -> None:
    site = _edited_site(tmp_path, "site.toml", "timezone", "timezone")
    zones = json.loads((site / "zones.geojson").read_text(encoding="utf-8"))
    ring = zones["features"][0]["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    (site / "zones.geojson").write_text(json.dumps(zones), encoding="utf-8")
    done = street_folder.run("check-config", "--site", str(site))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "zones.geojson" in line
    assert zones["features"][0]["properties"]["id"] in line
    assert "cross" in line


def test_a_port_in_use_is_named_with_what_to_change(street: Street) -> None:
    street.start_centre()
    done = street.run("centre", "--broker", street.broker_url, "--port", str(street.page_port))
    assert done.returncode == 1
    assert f"127.0.0.1:{street.page_port} cannot be used: Address already in use" in done.stderr.splitlines()[-1]
    assert "--port" in done.stderr


def test_a_second_gateway_on_the_same_folder_is_refused(street: Street) -> None:
    street.start_gateway()
    done = street.run("gateway", "--broker", street.broker_url, "--data-dir", str(street.folder), "--port", "0")
    assert done.returncode == 1
    assert "is in use by another gateway" in done.stderr.splitlines()[-1]


def test_a_wrong_broker_address_is_one_line(street_folder: Street) -> None:
    done = street_folder.run("gateway", "--broker", "http://x", "--data-dir", str(street_folder.folder))
    assert done.returncode == 1
    assert "http://x" in done.stderr.splitlines()[-1]
    assert "mqtts://" in done.stderr.splitlines()[-1]
