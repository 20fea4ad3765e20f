"""The report to read: one folder, no address outside it, every figure and every mistake in its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from detectors.training.evaluate import Evaluation, Subject, score
from detectors.training.mistake_pictures import draw_mistake
from detectors.training.plots import Line, line_chart
from detectors.training.report_page import PAGE, write_report
from tests.labelled_pictures import write_picture
from tests.observed_pictures import BIN, CAR, GARBAGE, Box, observation

_BOX: Box = (200, 150, 300, 250)
_SIZE_PX = (640, 480)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Two pictures on disk: a bin found and garbage missed in one, a false alarm in the other."""
    first = write_picture(tmp_path / "a.jpg", 1, _SIZE_PX)
    second = write_picture(tmp_path / "b.jpg", 2, _SIZE_PX)
    observations = [
        observation([(BIN, _BOX), (GARBAGE, (0, 0, 90, 90))], [(BIN, 0.9, _BOX)], path=first),
        observation([], [(BIN, 0.8, _BOX), (CAR, 0.7, (0, 0, 60, 60))], path=second, luma=30),
    ]
    subject = Subject(name="<m>", input_px=416, named=frozenset(range(9)), thresholds={"garbage_bin": 0.5, "car": 0.5})
    return score(observations, subject=subject, rounds=20, problems=["c.jpg: cannot be decoded; not scored"])


def test_the_page_needs_nothing_outside_its_folder(tmp_path: Path, evaluation: Evaluation) -> None:
    page = write_report([evaluation], tmp_path / "report", data="streets")
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "report" / PAGE
    assert "://" not in text
    sources = re.findall(r'src="([^"]+)"', text)
    assert len(sources) == len(evaluation.mistakes) == 2
    for source in sources:
        assert cv2.imread(str(page.parent / source)) is not None


def test_names_are_escaped_and_problems_are_told(tmp_path: Path, evaluation: Evaluation) -> None:
    text = write_report([evaluation], tmp_path / "report", data="a & b").read_text(encoding="utf-8")
    assert "<m>" not in text
    assert "&lt;m&gt;" in text
    assert "a &amp; b" in text
    assert "c.jpg: cannot be decoded; not scored" in text


def test_classes_are_chinese_first(tmp_path: Path, evaluation: Evaluation) -> None:
    assert "垃圾桶 garbage_bin" in write_report([evaluation], tmp_path / "report", data="x").read_text(encoding="utf-8")


def test_models_stand_side_by_side_and_each_for_itself(tmp_path: Path, evaluation: Evaluation) -> None:
    other = replace(evaluation, model="other", groups={"all": {}}, curves={}, mistakes=())
    text = write_report([evaluation, other], tmp_path / "report", data="x").read_text(encoding="utf-8")
    assert "<th>&lt;m&gt;</th><th>other</th>" in text
    assert text.count("<section>") == 2


def test_a_second_report_leaves_no_pictures_of_the_first(tmp_path: Path, evaluation: Evaluation) -> None:
    write_report([evaluation], tmp_path / "report", data="x")
    write_report([replace(evaluation, mistakes=())], tmp_path / "report", data="x")
    assert list((tmp_path / "report" / "pictures").iterdir()) == []


def test_a_chart_is_well_formed_and_puts_corners_where_they_belong() -> None:
    line = Line(label="a", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), dot=(0.5, 0.5))
    svg = ElementTree.fromstring(line_chart([line], title="a < b", x_label="x", y_label="y", mark_x=0.25))
    points = next(part.attrib["points"] for part in svg if part.tag == "polyline")
    (x0, y0), (x1, y1) = (tuple(float(side) for side in point.split(",")) for point in points.split())
    dot = next(part.attrib for part in svg if part.tag == "circle")
    mark = next(part.attrib for part in svg if part.attrib.get("class") == "mark")
    assert x0 < x1
    assert y0 > y1  # upwards on the page
    assert (float(dot["cx"]), float(dot["cy"])) == ((x0 + x1) / 2, (y0 + y1) / 2)
    assert float(mark["x1"]) == x0 + (x1 - x0) / 4


def test_a_long_line_keeps_its_ends_and_loses_points_between() -> None:
    x = np.linspace(0, 1, 5000)
    svg = line_chart([Line(label="a", x=x, y=x)], title="t", x_label="x", y_label="y")
    points = re.findall(r'points="([^"]+)"', svg)[0].split()
    assert len(points) < 200
    assert points[0] == "34.0,228.0"
    assert points[-1] == "254.0,8.0"


def test_an_empty_line_draws_nothing() -> None:
    assert "polyline" not in line_chart(
        [Line(label="a", x=np.empty(0), y=np.empty(0))], title="", x_label="", y_label=""
    )


def test_the_missed_thing_is_white_and_the_street_around_it_is_left_as_it_is(evaluation: Evaluation) -> None:
    missed = next(one for one in evaluation.mistakes if one.name == "garbage")
    grey = np.full((480, 640, 3), 90, np.uint8)
    drawn = draw_mistake(missed, grey)
    assert drawn.shape == (360, 480, 3)
    rows, columns = np.nonzero((drawn == 255).all(axis=2))
    assert (rows.min() < 10, columns.min() < 10) == (True, True)  # it stands in the picture's corner
    assert (drawn[drawn.shape[0] - 20 :, :200] == 90).all()


@pytest.mark.parametrize("size_px", [(40, 30), (30, 400), (4000, 100)])
def test_a_mistake_is_drawn_in_a_picture_of_any_shape(size_px: tuple[int, int]) -> None:
    width, height = size_px
    picture = observation([], [(BIN, 0.9, (0, 0, width, height))], size_px=size_px)
    subject = Subject(name="m", input_px=416, named=frozenset({BIN}), thresholds={})
    (mistake,) = score([picture], subject=subject, rounds=0).mistakes
    drawn = draw_mistake(mistake, np.zeros((height, width, 3), np.uint8))
    assert drawn.shape[0] <= 360
    assert drawn.shape[1] <= 480
