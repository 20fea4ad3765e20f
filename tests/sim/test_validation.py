"""One line out of a pydantic error, in the words of the file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from sim.part import Part
from sim.validation import first_problem


class Stand(Part):
    """Stands."""

    id: str
    does: Literal["stand"]
    fill: tuple[tuple[float, float], ...] = ()


class Drive(Part):
    """Drives."""

    id: str
    does: Literal["drive"]
    speed_mps: float


class Play(Part):
    """The file."""

    seed: int
    actors: tuple[Annotated[Stand | Drive, Field(discriminator="does")], ...] = ()


def problem(**data: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        Play.model_validate(data)
    return first_problem(caught.value, Play, data)


def actor(**keys: Any) -> tuple[str, str]:
    return problem(seed=1, actors=[{"id": "first", "does": "stand"}, {"id": "second", **keys}])


def test_an_unknown_key_goes_before_the_missing_one_that_it_causes() -> None:
    assert problem(sede=1) == ("sede", "is no key of this table; did you mean 'seed'?")
    assert problem() == ("seed", "is missing")


def test_keys_that_are_suggested_are_those_of_the_table_that_was_meant() -> None:
    assert actor(does="drive", speed=3) == (
        "actors.1 (second).speed", "is no key of this table; did you mean 'speed_mps'?",
    )  # fmt: skip
    assert actor(does="stand", speed=3) == ("actors.1 (second).speed", "is no key of this table; known: does, fill, id")


def test_the_word_that_says_which_table_it_is_is_no_part_of_the_key() -> None:
    assert actor(does="drive") == ("actors.1 (second).speed_mps", "is missing")
    key, said = actor(does="stand", fill=[[1, 2], [3, "x"]])
    assert key == "actors.1 (second).fill.1.1"
    assert said.endswith("(found 'x')")


def test_a_table_of_no_known_sort_is_told_which_there_are() -> None:
    assert actor() == ("actors.1 (second).does", "is missing")
    assert actor(does="drvie") == ("actors.1 (second).does", "'drvie' is none of them; did you mean 'drive'?")
    assert actor(does="fly") == ("actors.1 (second).does", "'fly' is none of them; known: stand, drive")


def test_a_table_without_id_has_its_number_alone() -> None:
    assert problem(seed=1, actors=[{"does": "stand"}]) == ("actors.0.id", "is missing")


def test_what_was_found_is_cut_short() -> None:
    key, said = problem(seed="x" * 500)
    assert key == "seed"
    assert len(said) < 150
    assert problem(seed=1, actors=7)[0] == "actors"
