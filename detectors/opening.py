"""Opening a model by name or path: card, classes and backend joined into a `Detector`."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

from detectors.adapters.lanes import ThreadLanes
from detectors.adapters.machine import look_at_machine
from detectors.backend import Backend
from detectors.card_check import refuse_other_names, refuse_other_size
from detectors.classes import load_classes
from detectors.detector import BatchedDetector, Detector
from detectors.engines import WEIGHTS_SUFFIXES, Choice, Engine, choose_engine, engine_named
from detectors.errors import ModelError
from detectors.model_card import MAX_INPUT_PX, MIN_INPUT_PX, ModelCard, load_card

DEFAULT_MODEL = "street_v2"


def model_names() -> list[str]:
    """Names of the models that ship with the product."""
    folder = Path(str(resources.files("configs") / "models"))
    return sorted(card.stem for card in folder.glob("*.toml"))


def card_path(model: str) -> Path:
    """Where the card of a shipped model (by name) or of a user's own (path of its card or weights) lies.

    Raises ModelError; for weights without a card it shows the five lines that make one.
    """
    path = Path(model)
    if path.suffix == ".toml":
        return path
    if model in model_names():
        return Path(str(resources.files("configs") / "models" / f"{model}.toml"))
    if path.suffix in WEIGHTS_SUFFIXES:
        return _card_of_weights(path)
    raise ModelError(
        model, f"no such model; shipped are {', '.join(model_names()) or 'none'}, or give the path of a card or weights"
    )


def open_detector(
    model: str = DEFAULT_MODEL,
    device: str = "auto",
    *,
    engine: str = "auto",
    confidence: float | None = None,
    input_px: int | None = None,
    threads: int = 0,
    max_batch: int | None = None,
    one_box: bool = True,
) -> Detector:
    """Load a model and return a ready detector.

    model: name of a shipped model, or the path of a card (`my_model.toml`) or of weights with a card beside them
    device: auto | cpu | gpu | cuda:N; engine: auto | openvino | torch | onnxruntime
    confidence: one threshold in place of the card's per-class ones, 0..1
    input_px: in place of the card's; pictures with a longer side are scaled down to it
    threads: processor threads, 0 = all; max_batch: most pictures per forward, the engine's best if not given
    one_box: one thing gets one box, whatever classes it is taken for (`box_group` in configs/classes.toml, and
        whatever covers the same place); False gives every class its own, as published average precisions are measured
    Raises ModelError or DeviceError, each one clear line.
    """
    card = _asked_for(load_card(card_path(model)), model, input_px)
    choice = choose_engine(card.files, look_at_machine(), device=device, engine=engine_named(engine))
    backend = open_backend(choice, threads=threads)
    refuse_other_names(card, backend.facts)
    refuse_other_size(card, backend.facts)
    return BatchedDetector(
        backend,
        card,
        load_classes(),
        lanes=ThreadLanes(backend.lanes),
        confidence=confidence,
        max_batch=max_batch,
        one_box=one_box,
        reason=choice.reason,
    )


def _asked_for(card: ModelCard, model: str, input_px: int | None) -> ModelCard:
    """The card with the caller's wishes; weights that were named are the ones that the card speaks of."""
    named = Path(model)
    if named.suffix in WEIGHTS_SUFFIXES and named.resolve() != card.weights.resolve():
        files = {file.resolve(): file for file in card.also}
        if named.resolve() not in files:
            raise ModelError(
                model, f"the card {card.name!r} there speaks of {card.weights.name!r}, and a file needs its own"
            )
        card = replace(card, weights=files[named.resolve()], also=())
    if input_px is None:
        return card
    if not MIN_INPUT_PX <= input_px <= MAX_INPUT_PX:
        raise ModelError(model, f"input_px = {input_px}; right would be {MIN_INPUT_PX} to {MAX_INPUT_PX}")
    return replace(card, input_px=input_px)


def open_backend(choice: Choice, *, threads: int = 0) -> Backend:
    """The chosen engine with its network loaded, without card or classes; raises ModelError or DeviceError.

    Engines are imported here: each is large, and one is enough.
    """
    if choice.engine is Engine.TORCH:
        from detectors.adapters.torch_backend import TorchBackend  # noqa: PLC0415

        return TorchBackend(choice.weights, choice.device, threads=threads)
    if choice.engine is Engine.ONNXRUNTIME:
        from detectors.adapters.onnxruntime_backend import OnnxRuntimeBackend  # noqa: PLC0415

        return OnnxRuntimeBackend(choice.weights, threads=threads)
    from detectors.adapters.openvino_backend import OpenVinoBackend  # noqa: PLC0415

    return OpenVinoBackend(choice.weights, choice.device, threads=threads)


def _card_of_weights(weights: Path) -> Path:
    """`m.toml` beside m.onnx, or beside the folder of m/m.xml, as `street721 export` leaves it."""
    folder = weights.absolute().parent
    beside, above = weights.with_suffix(".toml"), folder.parent / f"{folder.name}.toml"
    if not weights.is_file():
        raise ModelError(str(weights), "no such file; weights with a card beside them are right")
    for card in (beside, above):
        if card.is_file():
            return card
    lines = f'name = "{weights.stem}", file = "{weights.name}", licence = "…", classes = ["car", …], input_px = 640'
    raise ModelError(str(weights), f"has no card; {beside.name} beside it needs five lines: {lines}")
