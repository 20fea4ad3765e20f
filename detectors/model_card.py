"""The card beside a model's weights: classes, input size, thresholds, hash. No card, no model."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.errors import ModelError

Fraction = Annotated[float, Field(gt=0, lt=1)]


class _CardFile(BaseModel):
    """Wire form of `<name>.toml`; figures are for readers and are not interpreted here."""

    model_config = ConfigDict(extra="forbid")

    name: str
    file: str
    sha256: dict[str, str]
    licence: str
    classes: list[str] = Field(min_length=1)
    input_px: int = Field(ge=32, le=4096)
    stride: int = Field(default=32, ge=1)
    layout: Literal["yolo_v8_head"]
    nms_iou: Fraction = 0.5
    thresholds: dict[str, Fraction]
    figures: dict[str, object] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What must be known to run a model.

    weights:    path of the file that the backend loads
    classes:    names in the order of the model's output
    input_px:   long side of the network's input in pixels
    thresholds: least confidence per class name
    """

    name: str
    weights: Path
    classes: tuple[str, ...]
    input_px: int
    stride: int
    nms_iou: float
    thresholds: Mapping[str, float]


def load_card(card_file: Path) -> ModelCard:
    """Read and check a card and the weights that it names; raises ModelError with one clear line."""
    try:
        parsed = _CardFile.model_validate(tomllib.loads(card_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(str(card_file), "no such model card; a card is <name>.toml beside its weights") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(str(card_file), f"not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelError(str(card_file), f"{key}: {first['msg']}") from error
    _check_thresholds(card_file, parsed)
    _check_hashes(card_file, parsed)
    return ModelCard(
        name=parsed.name,
        weights=card_file.parent / parsed.file,
        classes=tuple(parsed.classes),
        input_px=parsed.input_px,
        stride=parsed.stride,
        nms_iou=parsed.nms_iou,
        thresholds=dict(parsed.thresholds),
    )


def _check_thresholds(card_file: Path, card: _CardFile) -> None:
    missing = [name for name in card.classes if name not in card.thresholds]
    unknown = [name for name in card.thresholds if name not in card.classes]
    if missing or unknown:
        raise ModelError(str(card_file), f"thresholds: missing {missing}, unknown {unknown}; one per class is right")


def _check_hashes(card_file: Path, card: _CardFile) -> None:
    if card.file not in card.sha256:
        raise ModelError(str(card_file), f"sha256: no hash for {card.file!r}, the file that it names")
    for name, expected in card.sha256.items():
        path = card_file.parent / name
        if not path.is_file():
            raise ModelError(str(card_file), f"sha256: {name!r} is not there; it should lie beside the card")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise ModelError(str(path), f"sha256 is {found[:12]}…, the card {card_file.name} says {expected[:12]}…")
