"""What each class output of a model means here: a class of the street, a threshold, a group of rivals."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import ClassTable, class_by_any_name
from detectors.errors import ModelError
from detectors.model_card import ModelCard

_NONE_OF_OURS = -1
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassOutputs:
    """One entry per class of the model, in the order of its output.

    names:      (C,) what the model calls its classes
    class_id:   (C,) int32, key into configs/classes.toml; -1: a class that nobody here asks for
    thresholds: (C,) float32, least confidence; infinity for what nobody asks for
    groups:     (C,) int32, equal where boxes are readings of the same thing
    """

    names: tuple[str, ...]
    class_id: npt.NDArray[np.int32]
    thresholds: npt.NDArray[np.float32]
    groups: npt.NDArray[np.int32]

    @property
    def remark(self) -> str:
        """Which of the model's classes are classes of the street; empty when all are.

        A few others are named, because one may be a misspelling.
        """
        others = [name for name, class_id in zip(self.names, self.class_id, strict=True) if class_id == _NONE_OF_OURS]
        if not others:
            return ""
        count = f"{len(self.names) - len(others)} of {len(self.names)} classes"
        return f"{count}, without {' and '.join(others)}" if len(others) <= _FEW else count


def class_outputs(
    card: ModelCard, table: ClassTable, *, confidence: float | None = None, one_box: bool = True
) -> ClassOutputs:
    """The meaning of a card's classes by `table`, their own names or aliases; raises ModelError when none is known.

    confidence: one threshold in place of the card's
    one_box:    the classes of a box_group are rivals; otherwise each class stands by itself
    """
    rows = [class_by_any_name(table, name) for name in card.classes]
    if not any(rows):
        raise ModelError(
            str(card.weights),
            f"none of its classes {reprlib.repr(list(card.classes))} is in configs/classes.toml; "
            f"known are {', '.join(table.by_name)}, and what stands there as `also`",
        )
    least = [card.threshold_of(name) if confidence is None else confidence for name in card.classes]
    keys = [(row.box_group if one_box else row.name) if row else "" for row in rows]
    return ClassOutputs(
        names=tuple(card.classes),
        class_id=np.array([row.id if row else _NONE_OF_OURS for row in rows], np.int32),
        thresholds=np.array([value if row else np.inf for row, value in zip(rows, least, strict=True)], np.float32),
        groups=np.unique(keys, return_inverse=True)[1].astype(np.int32),
    )
