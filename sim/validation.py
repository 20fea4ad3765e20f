"""One clear line out of a pydantic error: the key as the file has it, what is wrong, what would be right."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

# Keys whose value says which table it is; pydantic adds that value to the place of a mistake.
_DISCRIMINATORS = ("does", "kind", "fault")


def first_problem(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> tuple[str, str]:
    """(key, problem) of the mistake to mend first; data: what was validated.

    An unknown key goes first: it is usually the cause of a missing one.
    """
    problems = error.errors(include_url=False)
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    key, tables = _walk(first["loc"], model, data)
    match first["type"]:
        case "extra_forbidden":
            known = sorted({name for table in tables for name in table.model_fields})
            return key, f"is no key of this table; {_closest(str(first['loc'][-1]), known)}"
        case "missing":
            return key, "is missing"
        case "union_tag_not_found":
            return f"{key}.{_word(first['ctx']['discriminator'])}", "is missing"
        case "union_tag_invalid":
            known = [_word(tag) for tag in first["ctx"]["expected_tags"].split(",")]
            tag = str(first["ctx"]["tag"])
            return f"{key}.{_word(first['ctx']['discriminator'])}", f"{tag!r} is none of them; {_closest(tag, known)}"
    message, found = first["msg"].removeprefix("Value error, "), first["input"]
    is_told = isinstance(found, Mapping) or (first["type"] == "value_error" and isinstance(found, list))
    return key, message if is_told else f"{message} (found {reprlib.repr(found)})"


def _walk(loc: Sequence[int | str], model: type[BaseModel], data: Any) -> tuple[str, list[type[BaseModel]]]:
    """The place in the file's own words, and the models that the table around its last part may be."""
    words: list[str] = []
    tables, inner, here = [model], [model], data
    for part in loc:
        if _is_tag(part, here):
            inner = [table for table in inner if part in _tags(table)]
            continue
        tables = inner
        if isinstance(part, int):
            here = here[part] if isinstance(here, Sequence) and part < len(here) else None
            name = here.get("id") if isinstance(here, Mapping) else None
            words.append(f"{part} ({name})" if isinstance(name, str) else str(part))
        else:
            here = here.get(part) if isinstance(here, Mapping) else None
            fields = [table.model_fields[part] for table in inner if part in table.model_fields]
            inner = [found for field in fields for found in _models_in(field.annotation)]
            words.append(part)
    return ".".join(words), tables


def _is_tag(part: int | str, table: Any) -> bool:
    """Whether a part of a place is no key but the value that says which table it is."""
    return isinstance(table, Mapping) and part not in table and part in [table.get(key) for key in _DISCRIMINATORS]


def _tags(table: type[BaseModel]) -> set[Any]:
    fields = [table.model_fields[key] for key in _DISCRIMINATORS if key in table.model_fields]
    return {value for field in fields for value in get_args(field.annotation)}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside ``tuple[M, ...]``, ``A | B`` or ``Annotated[M, …]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _models_in(part)


def _closest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def _word(quoted: str) -> str:
    return quoted.strip().strip("'")
