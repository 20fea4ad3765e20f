"""`street721 calibrate`: what a person reads, what a machine reads, the drawing, and one line for every refusal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gateway import cli
from geofence.adapters.site_folder import load_site
from geofence.config import parse_site_toml
from tests.drawn_street import DrawnStreet
from tests.sites import ONE_CAMERA


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("frames") / "now.jpg"
    file.write_bytes(DrawnStreet().jpeg())
    return file


def run(*words: object, site: Path = ONE_CAMERA, camera: str = "cam-01") -> Result:
    return CliRunner().invoke(cli.app, ["calibrate", str(site), "--camera", camera, *map(str, words)])


def measured(tmp_path: Path, *, wrong: int | None = None, crs: str = "wgs84") -> Path:
    """Control points of the site as a table."""
    rows = ["px_x,px_y,lat,lng,crs"]
    camera = load_site(ONE_CAMERA)
    grid = np.stack(np.meshgrid(np.linspace(100, 860, 3), np.linspace(150, 500, 3)), axis=-1).reshape(-1, 2)
    places = camera.plane.to_lat_lng(camera.camera("cam-01").homography.pixel_to_ground(grid))
    for row, ((x, y), (lat, lng)) in enumerate(zip(grid, places, strict=True)):
        rows.append(f"{x + 50 * (row == wrong)},{y},{lat:.8f},{lng:.8f},{crs}")
    file = tmp_path / "points.csv"
    file.write_text("\n".join(rows))
    return file


def test_the_site_s_own_points_are_told_with_their_errors() -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("camera cam-01: ")
    assert "camera 5.5 m above the ground, looks 20° down, focal length 800 px" in result.stdout
    assert "1 px is at most 0.5 m up to" in result.stdout


def test_the_lens_of_a_shipped_camera_is_found_from_its_own_points() -> None:
    told = run("--fit-lens", camera="cam-02", site=Path("demo"))
    assert told.exit_code == 0, told.output
    assert "22 of 22 points used" in told.stdout
    assert "lens k1 = -0.0500, k2 = 0.0000 at focal_px = 540.0" in told.stdout


def test_json_has_every_number(tmp_path: Path) -> None:
    told = json.loads(run("--points", measured(tmp_path, wrong=4), "--json").stdout)
    assert [point["is_used"] for point in told["points"]] == [row != 4 for row in range(9)]
    assert told["points"][4]["residual_px"] == pytest.approx(50, abs=0.5)
    assert told["points"][4]["left_out_m"] > 0.3
    assert told["warnings"][0].startswith("gcps[4] px=[530, 325] is 50.0 px from")
    assert (len(told["metres_per_px"]["along_m"]), len(told["metres_per_px"]["along_m"][0])) == (9, 16)
    assert told["pose"]["height_m"] == pytest.approx(5.5, abs=0.02)
    assert [reach["limit_m"] for reach in told["reaches"]] == [0.05, 0.1, 0.25, 0.5, 1.0]


def test_the_lines_for_the_site_file_are_the_points_that_agree(tmp_path: Path) -> None:
    result = run("--points", measured(tmp_path, wrong=4), "--write")
    lines = result.stdout[result.stdout.index("gcps = [") :]
    camera = parse_site_toml(f'site_id = "s"\n[[cameras]]\nid = "c"\nsize_px = [960, 540]\n{lines}').cameras[0]
    assert len(camera.gcps) == 8
    assert camera.lens is None


def test_the_drawing_is_large_and_shows_more_than_the_picture(tmp_path: Path, frame: Path) -> None:
    assert run("--frame", frame, "--draw", tmp_path / "drawn.png").exit_code == 0
    assert run("--draw", tmp_path / "without.png").exit_code == 0
    drawn, plain = cv2.imread(str(tmp_path / "drawn.png")), cv2.imread(str(frame))
    assert drawn is not None
    assert plain is not None
    assert drawn.shape == (720, 1280, 3)
    changed = np.abs(drawn.astype(int) - cv2.resize(plain, (1280, 720))).max(axis=2) > 8
    assert 0.1 < changed.mean() < 0.9


def test_a_reference_is_kept_in_the_site_folder(tmp_path: Path, frame: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(ONE_CAMERA, site)
    assert run("--frame", frame, "--save-reference", site=site).exit_code == 0
    reference = cv2.imread(str(site / "reference" / "cam-01.png"), cv2.IMREAD_UNCHANGED)
    assert reference is not None
    assert reference.shape == (360, 640)


def test_every_refusal_is_one_line(tmp_path: Path, frame: Path) -> None:
    (tmp_path / "blind.jpg").write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "square.png"), np.zeros((400, 400, 3), np.uint8))
    untagged = tmp_path / "untagged.csv"
    untagged.write_text("px_x,px_y,lat,lng\n1,2,39.9,116.4\n")
    far = tmp_path / "far.csv"
    far.write_text("px_x,px_y,lat,lng,crs\n1,2,19.9,116.4,wgs84\n")
    outside = tmp_path / "outside.csv"
    outside.write_text("px_x,px_y,lat,lng,crs\n1000,2,39.9151,116.411,wgs84\n")
    chinese = tmp_path / "chinese.csv"
    chinese.write_bytes("px_x,px_y,lat,lng,crs,人行道".encode("gbk"))
    for words, camera, says in (
        (["--points", chinese], "cam-01", "chinese.csv is not UTF-8 at byte 22; save it as UTF-8"),
        ([], "cam-02", "has no camera 'cam-02'; did you mean 'cam-01'"),
        (["--points", tmp_path / "none.csv"], "cam-01", "none.csv cannot be read"),
        (["--points", untagged], "cam-01", "untagged.csv: line 2: does not say its coordinate system"),
        (["--points", far], "cam-01", "over 50 km from the site's grid"),
        (["--points", outside], "cam-01", "point 0 px [1000, 2] lies outside size_px [960, 540]"),
        (["--frame", tmp_path / "blind.jpg"], "cam-01", "blind.jpg is no picture"),
        (["--frame", tmp_path / "square.png"], "cam-01", "400 x 400 pixels, of another shape than size_px [960, 540]"),
        (["--frame", frame, "--draw", tmp_path / "x.unknown"], "cam-01", "its name should end in .jpg or .png"),
        (["--draw", tmp_path / "no" / "x.png"], "cam-01", "x.png cannot be written; is its folder there?"),
    ):
        result = run(*words, camera=camera)
        assert isinstance(result.exception, cli.KNOWN_ERRORS), result.exception
        assert says in str(result.exception)
        assert "\n" not in str(result.exception)
    assert run("--save-reference").exit_code == 2
    assert run("--crs", "gcj02").exit_code == 2


def test_a_site_with_bad_points_can_be_put_on_trial(tmp_path: Path) -> None:
    """The other commands refuse it; this one says why."""
    site = tmp_path / "site"
    shutil.copytree(ONE_CAMERA, site)
    text = (site / "site.toml").read_text()
    begin, end = text.index("gcps = ["), text.index("]\n", text.index("gcps = [") + 9)
    (site / "site.toml").write_text(text[:begin] + "gcps = [" + text[end:])
    assert "there are 0 gcps" in str(run(site=site).exception)
    assert run("--points", measured(tmp_path), site=site).exit_code == 0
