"""The model that ships: card, files and classes belong together, and it runs at any size it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.model_card import ModelCard, load_card
from detectors.opening import DEFAULT_MODEL, card_path, model_names
from detectors.pixels import PixelForm
from detectors.training.labels import STREET_CLASSES

_MODELS = Path(__file__).parents[3] / "configs" / "models"


@pytest.fixture(scope="module")
def card() -> ModelCard:
    """The shipped card; loading checks the hashes."""
    return load_card(card_path(DEFAULT_MODEL))


def test_the_card_names_the_classes_that_training_writes(card: ModelCard) -> None:
    assert card.classes == STREET_CLASSES
    assert sorted(card.thresholds) == sorted(STREET_CLASSES)


def test_the_weights_are_pinned_by_hash(card: ModelCard) -> None:
    assert card.is_verified


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_has_a_card_to_read(name: str) -> None:
    assert (_MODELS / f"{name}.md").read_text(encoding="utf-8").startswith(f"# {name}\n")


def test_a_model_with_its_checkpoint_stays_below_fifteen_megabytes() -> None:
    for name in model_names():
        assert sum(path.stat().st_size for path in (_MODELS / name).iterdir()) < 15_000_000


def test_any_batch_and_any_multiple_of_32_goes_through(card: ModelCard) -> None:
    backend = OpenVinoBackend(card.weights, "cpu", threads=1)
    for batch, height, width in ((1, 416, 416), (2, 256, 416), (1, 384, 640)):
        output = backend.forward(np.full((batch, height, width, 3), 127, np.uint8), PixelForm.RGB_UNIT)
        cells = sum((height // stride) * (width // stride) for stride in (8, 16, 32))
        assert output.shape == (batch, 4 + len(STREET_CLASSES), cells)
        assert np.isfinite(output).all()
        assert output[:, 4:].min() >= 0.0
        assert output[:, 4:].max() <= 1.0
