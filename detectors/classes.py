"""The table of classes, ``configs/classes.toml``: what an id means, its role in the rules, its size."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.errors import DetectorError
from detectors.validation import closest, first_problem

CLASSES_FILE = "classes.toml"


class Role(StrEnum):
    """What the rules do with a class."""

    VEHICLE = "vehicle"
    TWO_WHEELER = "two_wheeler"
    PERSON = "person"
    GARBAGE = "garbage"
    OVERFLOW = "overflow"
    BIN = "bin"
    OBSTACLE = "obstacle"


class ClassTableError(DetectorError):
    """The table of classes cannot be used: names the file, the key, and what would be right."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectClass:
    """One row: a class that detectors name; sizes are typical, in metres.

    box_group: classes of one group are readings of the same thing, which gets one box
    also:      what other models and label files call it
    """

    id: int
    name: str
    name_zh: str
    role: Role
    box_group: str
    also: tuple[str, ...] = ()
    length_m: float
    width_m: float
    height_m: float

    @property
    def any_names(self) -> frozenset[str]:
        """Every name of the class, in the one form that names are compared in."""
        return frozenset(normal_name(name) for name in (self.name, self.name_zh, *self.also))


@dataclass(frozen=True, slots=True)
class ClassTable:
    """All classes in the order of the file, by id, by name, and by any name that somebody calls them."""

    classes: tuple[ObjectClass, ...]
    by_id: Mapping[int, ObjectClass] = field(init=False, repr=False, compare=False)
    by_name: Mapping[str, ObjectClass] = field(init=False, repr=False, compare=False)
    by_any_name: Mapping[str, ObjectClass] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", MappingProxyType({row.id: row for row in self.classes}))
        object.__setattr__(self, "by_name", MappingProxyType({row.name: row for row in self.classes}))
        by_any_name = {name: row for row in self.classes for name in row.any_names}
        object.__setattr__(self, "by_any_name", MappingProxyType(by_any_name))

    def ids_with(self, *roles: Role) -> frozenset[int]:
        """Ids of every class that has one of `roles`."""
        return frozenset(row.id for row in self.classes if row.role in roles)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int = Field(ge=0, strict=True, description="a whole number, 0 or more")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="a lower-case word such as 'garbage_bin'")
    name_zh: str = Field(min_length=1, description="the Chinese name")
    also: list[str] = Field(default=[], description="a list of the names that others give it")
    role: Role = Field(description=f"one of {', '.join(Role)}")
    box_group: str | None = Field(
        default=None, pattern=r"^[a-z][a-z0-9_]*$", description="a lower-case word such as 'vehicle'"
    )
    length_m: float = Field(gt=0, le=50, description="metres, more than 0 and at most 50")
    width_m: float = Field(gt=0, le=50, description="metres, more than 0 and at most 50")
    height_m: float = Field(gt=0, le=50, description="metres, more than 0 and at most 50")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: list[_Row] = Field(min_length=1, description="at least one [[classes]] row")


@cache
def load_classes() -> ClassTable:
    """The table that ships with the product; raises ClassTableError."""
    text = files("configs").joinpath(CLASSES_FILE).read_text(encoding="utf-8")
    return parse_classes(text, file=CLASSES_FILE)


def parse_classes(text: str, *, file: str = CLASSES_FILE) -> ClassTable:
    """The table written in `text` (TOML); raises ClassTableError with one line that names key and value."""
    try:
        rows = _File.model_validate(tomllib.loads(text)).classes
    except tomllib.TOMLDecodeError as error:
        raise ClassTableError(file, "(whole file)", f"not TOML: {error}") from error
    except ValidationError as error:
        raise ClassTableError(file, *first_problem(error, _File)) from error
    _refuse_twins(file, "id", [str(row.id) for row in rows])
    _refuse_twins(file, "name", [row.name for row in rows])
    classes = tuple(_object_class(row) for row in rows)
    _refuse_shared_names(file, classes)
    return ClassTable(classes)


def class_named(table: ClassTable, name: str) -> ObjectClass:
    """The class called `name`; raises ValueError with the closest known name."""
    if name not in table.by_name:
        raise ValueError(f"unknown class {name!r}; {closest(name, sorted(table.by_name))}")
    return table.by_name[name]


def class_by_any_name(table: ClassTable, name: str) -> ObjectClass | None:
    """The class that somebody calls `name`: by its own name, the Chinese one or an alias; None when no row has it."""
    return table.by_any_name.get(normal_name(name))


def normal_name(name: str) -> str:
    """The form in which names are compared: ``Garbage Bin``, ``garbage-bin`` and ``garbage_bin`` are one."""
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def _object_class(row: _Row) -> ObjectClass:
    values = row.model_dump() | {"also": tuple(row.also), "box_group": row.box_group or row.name}
    return ObjectClass(**values)


def _refuse_shared_names(file: str, classes: tuple[ObjectClass, ...]) -> None:
    owners: dict[str, int] = {}
    for position, row in enumerate(classes):
        for name in sorted(row.any_names):
            first = owners.setdefault(name, position)
            if first != position:
                problem = f"{name!r} is a name of classes[{first}] too; every name must mean one class"
                raise ClassTableError(file, f"classes[{position}].also", problem)


def _refuse_twins(file: str, key: str, values: list[str]) -> None:
    twins = [value for value, count in Counter(values).items() if count > 1]
    if twins:
        first, second = [row for row, value in enumerate(values) if value == twins[0]][:2]
        problem = f"{twins[0]!r} stands at classes[{first}] too; every {key} must be used once"
        raise ClassTableError(file, f"classes[{second}].{key}", problem)
