"""The text of a site's files on its way to values: what each of them refuses, in the same words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from detectors.validation import all_problems, shown
from geofence.errors import Faults, SiteError

WHOLE_FILE = "(whole file)"
# Where a value has ended or a line begins; a // within an address follows a colon.
_COMMENT = re.compile(r"""(?:^|[\[\]{},"\d])[ \t]*(?://|/\*|\#)""", re.MULTILINE)


def toml_table(text: str, file: str, *, expected: str | None = None) -> dict[str, Any]:
    """The table that `text` is; raises SiteError. expected: what an empty file lacks, None where it lacks nothing."""
    if expected is not None:
        refuse_empty(text, file, expected)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SiteError(file, WHOLE_FILE, f"not TOML: {error}") from error


def refuse_empty(text: str, file: str, expected: str) -> None:
    """Raise SiteError for a file in which nothing stands."""
    if not text.strip():
        raise SiteError(file, WHOLE_FILE, f"is empty; it should have {expected}")


def refuse_comments(text: str, file: str) -> None:
    """Raise SiteError where what is no JSON has comments, which other programs let pass."""
    found = _COMMENT.search(text)
    if found is not None:
        line = text.count("\n", 0, found.end()) + 1
        raise SiteError(file, WHOLE_FILE, f"not JSON: there is a comment on line {line}; JSON has none, take it out")


def refuse_invalid(file: str, error: ValidationError, model: type[BaseModel]) -> NoReturn:
    """Raise SiteError for everything that a file of a site has wrong."""
    faults = Faults()
    for key, problem in all_problems(error, model):
        faults.add(SiteError(file, key, problem))
    faults.raise_any()
    raise AssertionError("a validation error has at least one problem") from error


def refuse_twins(file: str, key: str, ids: Sequence[str], what: str = "id") -> None:
    """Raise SiteError when entries of the list `key` have the same id, one for each that repeats it."""
    faults = Faults()
    first_at: dict[str, int] = {}
    for row, value in enumerate(ids):
        first = first_at.setdefault(value, row)
        if first != row:
            problem = f"{shown(value)} is taken by {key}[{first}]; give it its own {what}"
            faults.add(SiteError(file, f"{key}[{row}].{what}", problem))
    faults.raise_any()
