"""Opening a model by name or path: card, classes and backend joined into a `Detector`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from detectors.classes import load_classes
from detectors.detector import BatchedDetector, Detector
from detectors.errors import ModelError
from detectors.model_card import load_card

DEFAULT_MODEL = "street_v1"


def model_names() -> list[str]:
    """Names of the models that ship with the product."""
    folder = Path(str(resources.files("configs") / "models"))
    return sorted(card.stem for card in folder.glob("*.toml"))


def card_path(model: str) -> Path:
    """Where the card of a shipped model (by name) or of a user's own (path of its .toml) lies."""
    path = Path(model)
    if path.suffix == ".toml":
        return path
    if model in model_names():
        return Path(str(resources.files("configs") / "models" / f"{model}.toml"))
    if path.suffix in {".onnx", ".xml"}:
        return path.with_suffix(".toml")
    raise ModelError(model, f"no such model; shipped are {', '.join(model_names()) or 'none'}, or give a card's path")


def open_detector(
    model: str = DEFAULT_MODEL,
    device: str = "auto",
    *,
    confidence: float | None = None,
    threads: int = 0,
    max_batch: int = 8,
) -> Detector:
    """Load a model and return a ready detector.

    model: name of a shipped model, or the path of a card (`my_model.toml`) or of weights with a card beside them
    device: auto | cpu | gpu
    confidence: one threshold in place of the card's per-class ones, 0..1
    threads: processor threads, 0 = all; max_batch: pictures per inference call, bounds memory
    Raises ModelError or DeviceError, each one clear line.
    """
    from detectors.adapters.openvino_backend import OpenVinoBackend  # noqa: PLC0415  engines load only when one is opened

    card = load_card(card_path(model))
    backend = OpenVinoBackend(card.weights, device, threads=threads)
    return BatchedDetector(backend, card, load_classes(), confidence=confidence, max_batch=max_batch)
