"""Which form of a model ships: the fastest that loses next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.training.export import Form
from detectors.training.trade import Variant, ap50_per_box, best, compare
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head
from tests.detectors.training.evaluations import evaluation_of


def _best(**forms: tuple[float, float]) -> Form:
    """Of forms by name: AP50 on the pictures that decide, milliseconds per picture."""
    variants = {
        Form[name]: Variant(file=Path("m.xml"), size_mb=1.0, ap50=0.5, ms_per_picture=ms)
        for name, (_, ms) in forms.items()
    }
    return best(
        variants, {Form[name]: evaluation_of({"car": 0.3}, ap50={"car": ap50}) for name, (ap50, _) in forms.items()}
    )


def test_a_faster_form_within_one_point_ships() -> None:
    assert _best(FP32=(0.800, 40), INT8=(0.791, 20)) is Form.INT8


def test_a_faster_form_that_loses_more_does_not() -> None:
    assert _best(FP32=(0.800, 40), INT8=(0.789, 20)) is Form.FP32


def test_a_form_that_is_better_and_faster_ships() -> None:
    assert _best(FP32=(0.80, 40), FP16=(0.80, 41), INT8=(0.81, 20)) is Form.INT8


def test_a_class_of_few_boxes_decides_little() -> None:
    few_buses = evaluation_of({"car": 0.3, "bus": 0.3}, ap50={"car": 0.8, "bus": 0.2}, n={"car": 95, "bus": 5})
    assert ap50_per_box(few_buses) == pytest.approx(0.77)
    assert few_buses.mean_ap()[0] == pytest.approx(0.5)


def test_size_counts_every_file_of_a_form(tmp_path: Path) -> None:
    xml = write_network(tmp_path / "m.xml", yolo_head(class_count=9), input_shape=ANY_PICTURE)
    weight = xml.stat().st_size + xml.with_suffix(".bin").stat().st_size
    row = compare({Form.FP32: xml}, {Form.FP32: evaluation_of({"car": 0.3}, ap50={"car": 0.7})}, threads=1)[Form.FP32]
    assert row.size_mb == pytest.approx(weight / 1e6)
    assert row.ap50 == pytest.approx(0.7)
    assert row.ms_per_picture > 0
