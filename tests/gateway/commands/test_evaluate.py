"""`street721 eval`: tables, JSON and a report of a model that always gives the same answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.commands.evaluate import evaluate
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head
from tests.labelled_pictures import write_labelled

_APP = typer.Typer()
_APP.command()(evaluate)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `data` with one group, and `m.toml` of a model that finds its bin and one thing more."""
    folder = tmp_path_factory.mktemp("street")
    for split, seed in (("train", 1), ("val", 2)):
        write_labelled(folder / "data" / "bins" / split, split, seed, "7 0.5 0.5 0.5 0.5\n")
    rows = [(0, 0.75, (64.0, 48.0, 64.0, 48.0)), (0, 0.5, (10.0, 10.0, 16.0, 16.0))]
    write_network(folder / "m.xml", yolo_head(*rows, class_count=1), input_shape=ANY_PICTURE)
    card = 'name = "m"\nfile = "m.xml"\nlicence = "x"\nclasses = ["bin"]\ninput_px = 128\nthresholds = { bin = 0.4 }\n'
    (folder / "m.toml").write_text(card, encoding="utf-8")
    return folder


def _eval(street: Path, *options: str) -> Result:
    arguments = ["--data", str(street / "data"), "--model", str(street / "m.toml"), "--threads", "1", *options]
    return CliRunner().invoke(_APP, arguments, catch_exceptions=False)


def test_the_table_tells_the_figures_at_the_cards_thresholds(street: Path) -> None:
    result = _eval(street, "--bootstrap", "0")
    assert "Thresholds: the model card's." in result.stdout
    assert "| bins | garbage_bin | 1 | 0.40 | 0.500 | 1.000 | 0.667 | 1.000 | 1.000 |" in result.stdout


def test_thresholds_can_be_chosen_on_the_pictures(street: Path) -> None:
    result = _eval(street, "--bootstrap", "0", "--choose-thresholds")
    assert "| bins | garbage_bin | 1 | 0.62 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in result.stdout


def test_another_overlap_brings_its_own_column(street: Path) -> None:
    result = _eval(street, "--min-iou", "0.3", "--bootstrap", "0")
    assert "| AP50-95 | AP30 |" in result.stdout


def test_several_models_stand_side_by_side(street: Path) -> None:
    result = _eval(street, "--model", str(street / "m.xml"), "--bootstrap", "0")
    assert "| all | garbage_bin | 1 | 0.500 / 1.000 / 1.000 | 0.500 / 1.000 / 1.000 |" in result.stdout


def test_json_is_one_object_with_every_model(street: Path) -> None:
    facts = json.loads(_eval(street, "--json", "--bootstrap", "20", "--split", "train").stdout)
    assert facts["data"] == "data"
    (model,) = facts["models"]
    assert (model["model"], model["split"], model["pictures"]) == ("m", "train", 1)
    assert model["groups"]["all"]["garbage_bin"]["precision_95"] == [0.5, 0.5]


def test_the_report_is_written_and_its_place_goes_to_stderr(street: Path, tmp_path: Path) -> None:
    result = _eval(street, "--report", str(tmp_path / "report"), "--bootstrap", "0")
    page = tmp_path / "report" / "report.html"
    assert result.stderr.strip() == str(page)
    assert "垃圾桶 garbage_bin" in page.read_text(encoding="utf-8")
