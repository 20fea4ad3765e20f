"""The card beside a model's weights: classes, input size, thresholds, hash. No card, no model.

Five lines are enough: name, file, licence, classes, input_px. The rest has defaults; a card without a hash makes
the model run as `unverified`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from detectors.coco import COCO_CLASSES
from detectors.errors import ModelError
from detectors.layouts import Layout
from detectors.validation import closest, first_problem

DEFAULT_THRESHOLD = 0.25
MIN_INPUT_PX, MAX_INPUT_PX = 32, 4096

Fraction = Annotated[float, Field(gt=0, lt=1)]
ClassNames = Annotated[list[str], BeforeValidator(lambda value: list(COCO_CLASSES) if value == "coco" else value)]


class _Export(BaseModel):
    """Another form of the same model; only `file` has a meaning here, the rest is for readers."""

    model_config = ConfigDict(extra="allow")

    file: str = Field(description="the name of the exported file")


class _CardFile(BaseModel):
    """Wire form of `<name>.toml`; figures and exports are for readers and are not interpreted here."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="the model's name in quotes")
    name_zh: str | None = Field(default=None, description="the model's Chinese name in quotes")
    file: str = Field(min_length=1, description="the name of the weights file beside the card (.xml, .onnx or .pt)")
    also: list[str] = Field(
        default=[], description="a list of files with the same network for other engines, such as a .pt or .onnx"
    )
    sha256: dict[str, str] = Field(default={}, description="a hash, or a table of file = hash")
    licence: str = Field(description="the licence of the weights in quotes")
    classes: ClassNames = Field(min_length=1, description='a list of names in the order of the output, or "coco"')
    classes_zh: list[str] | None = Field(default=None, description="a list of as many Chinese names as classes")
    input_px: int = Field(
        ge=MIN_INPUT_PX, le=MAX_INPUT_PX, strict=True, description="a whole number of pixels, 32 to 4096"
    )
    trained_px: int | None = Field(default=None, ge=1, strict=True, description="a whole number of pixels")
    stride: int = Field(default=32, ge=1, strict=True, description="a whole number of pixels, usually 32")
    layout: Layout | None = Field(default=None, description=f"one of {', '.join(Layout)}, or left out")
    nms_iou: Fraction = Field(default=0.5, description="a number between 0 and 1")
    thresholds: dict[str, Fraction] = Field(default={}, description="a number between 0 and 1 for each class")
    figures: dict[str, Any] = Field(default={}, description="tables of measured figures")
    exports: dict[str, _Export] = Field(default={}, description="a table per export, each with its file")

    @model_validator(mode="before")
    @classmethod
    def _name_the_only_hash(cls, values: dict[str, Any]) -> dict[str, Any]:
        """``sha256 = "…"`` is the hash of the card's one file."""
        if isinstance(values.get("sha256"), str) and isinstance(values.get("file"), str):
            return values | {"sha256": {values["file"]: values["sha256"]}}
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What must be known to run a model.

    weights:     path of the file that the backend loads
    classes:     names in the order of the model's output
    input_px:    the long side of a picture in the network's input is at most this, in pixels
    thresholds:  least confidence per class name; a class without one has DEFAULT_THRESHOLD
    layout:      of the output; None: recognised from its shape
    is_verified: the card pins the weights by hash
    """

    name: str
    weights: Path
    classes: tuple[str, ...]
    input_px: int
    stride: int
    nms_iou: float
    thresholds: Mapping[str, float]
    layout: Layout | None = None
    is_verified: bool = False
    also: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every form of the network, the main one first."""
        return (self.weights, *self.also)

    def threshold_of(self, name: str) -> float:
        """Least confidence of the class `name`."""
        return self.thresholds.get(name, DEFAULT_THRESHOLD)


def load_card(card_file: Path) -> ModelCard:
    """Read and check a card and the weights that it names; raises ModelError with one clear line."""
    try:
        parsed = _CardFile.model_validate(tomllib.loads(card_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(str(card_file), "no such model card; a card is <name>.toml beside its weights") from None
    except OSError as error:
        raise ModelError(str(card_file), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(str(card_file), f"not TOML: {error}") from error
    except ValidationError as error:
        raise ModelError(str(card_file), ": ".join(first_problem(error, _CardFile))) from error
    _check_classes(card_file, parsed)
    _check_files(card_file, parsed)
    return ModelCard(
        name=parsed.name,
        weights=card_file.parent / parsed.file,
        classes=tuple(parsed.classes),
        input_px=parsed.input_px,
        stride=parsed.stride,
        nms_iou=parsed.nms_iou,
        thresholds=dict(parsed.thresholds),
        layout=parsed.layout,
        is_verified=bool(parsed.sha256),
        also=tuple(card_file.parent / name for name in parsed.also),
    )


def _check_classes(card_file: Path, card: _CardFile) -> None:
    twins = [name for name, count in Counter(card.classes).items() if count > 1]
    if twins:
        raise ModelError(str(card_file), f"classes: {twins[0]!r} stands there twice; every output needs its own name")
    unknown = next((name for name in card.thresholds if name not in card.classes), None)
    if unknown is not None:
        raise ModelError(
            str(card_file), f"thresholds: {unknown!r} is none of the card's classes; {closest(unknown, card.classes)}"
        )
    if card.classes_zh is not None and len(card.classes_zh) != len(card.classes):
        counts = f"{len(card.classes_zh)} names for {len(card.classes)} classes"
        raise ModelError(str(card_file), f"classes_zh: {counts}; one for each, in the same order, is right")


def _weights_of(card: _CardFile) -> list[str]:
    """Every file that holds the network; an .xml has its numbers in a .bin beside it."""
    named = [card.file, *card.also]
    return [*named, *(str(Path(name).with_suffix(".bin")) for name in named if name.endswith(".xml"))]


def _check_files(card_file: Path, card: _CardFile) -> None:
    """The weights lie beside the card; where it gives hashes, it gives those of the weights, and all are true."""
    for name in _weights_of(card):
        if not (card_file.parent / name).is_file():
            raise ModelError(str(card_file), f"file: {name!r} is not there; it should lie beside the card")
        if card.sha256 and name not in card.sha256:
            raise ModelError(str(card_file), f"sha256: no hash for {name!r}, which holds the model")
    for name, expected in card.sha256.items():
        path = card_file.parent / name
        if not path.is_file():
            raise ModelError(str(card_file), f"sha256: {name!r} is not there; it should lie beside the card")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected.lower():
            raise ModelError(str(path), f"sha256 is {found[:12]}…, the card {card_file.name} says {expected[:12]}…")
