"""One clear line out of a pydantic error: which key, what stands there, what would be right."""

from __future__ import annotations

import difflib
import reprlib
from datetime import date, datetime, time
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_SHOWN, _SHOWN_AT_MOST = 60, 160
_NAMED = 30
Loc = tuple[int | str, ...]


def first_problem(error: ValidationError, model: type[BaseModel], *, whole: str = "(whole file)") -> tuple[str, str]:
    """(key, problem) of the error that a person should mend first.

    Field descriptions of `model` say what would be right. An unknown key goes first: it is usually the
    cause of a missing one, and the closest known key is suggested. `whole` names the input as such.
    """
    problems = error.errors(include_url=False)
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    return _problem(first, model, whole)


def _problem(first: ErrorDetails, model: type[BaseModel], whole: str) -> tuple[str, str]:
    loc = first["loc"]
    key = key_text(loc) or whole
    parent, field = _walk(model, loc)
    if first["type"] == "extra_forbidden":
        return key, _unknown_key(str(loc[-1]), sorted(parent.model_fields))
    expected = f"it should be {field.description}" if field and field.description else str(first["msg"])
    if first["type"] == "missing":
        return key, f"missing; {expected}"
    if first["type"] == "json_invalid":
        return key, f"not JSON: {first['ctx']['error']}"
    if first["type"] == "value_error":
        return key, str(first["ctx"]["error"])
    return key, f"{shown(first['input'])} is not usable; {expected}"


class _Short(reprlib.Repr):
    """As repr, but a long text keeps its begin and its end, a long list its begin."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _SHOWN

    def repr_datetime(self, value: datetime | date | time, _level: int) -> str:
        return value.isoformat()

    repr_date = repr_time = repr_datetime


_SHORT = _Short()


def shown(value: object) -> str:
    """What stands there, on one line and as a person wrote it, shortened where it is long."""
    text = _SHORT.repr(value)
    return text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + "…"


def all_problems(error: ValidationError, model: type[BaseModel]) -> list[tuple[str, str]]:
    """(key, problem) of every error, that of `first_problem` first."""
    first = first_problem(error, model)
    found = error.errors(include_url=False)
    meant = {(*one["loc"][:-1], _meant(one, model)) for one in found if one["type"] == "extra_forbidden"}
    rest = [
        _problem(one, model, "(whole file)") for one in found if one["type"] != "missing" or one["loc"] not in meant
    ]
    return [first, *(problem for problem in rest if problem != first)]


def _meant(unknown: ErrorDetails, model: type[BaseModel]) -> str | None:
    """The key that an unknown one most likely stands for: that it is missing needs no line of its own."""
    parent, _ = _walk(model, unknown["loc"])
    return _closest(str(unknown["loc"][-1]), sorted(parent.model_fields))


def key_text(loc: Loc) -> str:
    """``("cameras", 0, "id")`` as a person writes it: ``cameras[0].id``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.{_SHOWN}}" for part in loc)
    return text.removeprefix(".")


def closest(word: str, known: list[str]) -> str:
    """A hint for a mistyped word: the closest known one, or all of them."""
    match = _closest(word, known)
    return f"known: {_listed(known)}" if match is None else f"did you mean {match!r}?"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more if names else "none"


def _closest(word: str, known: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), None)


def _unknown_key(key: str, known: list[str]) -> str:
    return f"unknown key {shown(key)}; {closest(key, known)}"


def _walk(model: type[BaseModel], loc: Loc) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that holds the last part of `loc`, and the innermost field on the way there."""
    parent, field = model, None
    for position, part in enumerate(loc):
        found = parent.model_fields.get(part) if isinstance(part, str) else None
        if found is None:
            continue
        field = found
        inner = _model_in(found.annotation)
        if inner is not None and position < len(loc) - 1:
            parent = inner
    return parent, field


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside ``list[M]``, ``dict[str, M]``, ``M | None``, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
