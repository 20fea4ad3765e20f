"""One line out of a pydantic error."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.validation import all_problems, closest, first_problem, key_text, shown


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size_px: int = Field(description="a whole number of pixels")
    plain: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: list[Inner] = Field(default=[], description="a list of parts")
    named: dict[str, Inner] = Field(default={}, description="a table of parts")
    one: Inner | None = Field(default=None, description="one part")


def problem(value: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    return first_problem(caught.value, Outer)


@pytest.mark.parametrize(
    ("value", "key", "text"),
    [
        ({"part": []}, "part", "unknown key 'part'; did you mean 'parts'?"),
        ({"xyz": 1}, "xyz", "unknown key 'xyz'; known: named, one, parts"),
        ({"parts": [{"size": 1}]}, "parts[0].size", "unknown key 'size'; did you mean 'size_px'?"),
        ({"named": {"a": {"size_px": 1, "plan": 2}}}, "named.a.plan", "unknown key 'plan'; did you mean 'plain'?"),
        ({"one": {}}, "one.size_px", "missing; it should be a whole number of pixels"),
        ({"parts": [{"size_px": "x"}]}, "parts[0].size_px", "'x' is not usable; it should be a whole number of pixels"),
        ({"parts": 5}, "parts", "5 is not usable; it should be a list of parts"),
        ([], "(whole file)", "[] is not usable; Input should be a valid dictionary or instance of Outer"),
    ],
)
def test_a_problem_names_key_value_and_cure(value: object, key: str, text: str) -> None:
    assert problem(value) == (key, text)


def test_an_unknown_key_goes_before_the_missing_one_that_it_causes() -> None:
    assert problem({"one": {"sizepx": 3}})[0] == "one.sizepx"


def test_a_long_value_is_shortened() -> None:
    text = problem({"one": {"size_px": "x" * 1000}})[1]
    assert len(text) < 120


def test_a_time_is_shown_as_it_was_written() -> None:
    """Also where it stands in a table."""
    at = datetime(2026, 10, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    assert shown({"starts_at": at}) == "{'starts_at': 2026-10-01T08:00:00+08:00}"
    assert len(shown([["x" * 60] * 9] * 9)) <= 161


def test_a_key_that_stands_for_a_missing_one_is_one_problem() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"parts": [{"sizepx": 3}], "one": {}})
    assert all_problems(caught.value, Outer) == [
        ("parts[0].sizepx", "unknown key 'sizepx'; did you mean 'size_px'?"),
        ("one.size_px", "missing; it should be a whole number of pixels"),
    ]


def test_text_that_is_no_json_says_so() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json("{")
    key, text = first_problem(caught.value, Outer, whole="(whole line)")
    assert key == "(whole line)"
    assert text.startswith("not JSON: ")


def test_keys_are_written_as_a_person_writes_them() -> None:
    assert key_text(("cameras", 0, "gcps", 3, "px")) == "cameras[0].gcps[3].px"


def test_a_long_key_and_a_long_list_are_shortened() -> None:
    assert key_text(("cameras", 0, "x" * 1000)) == "cameras[0]." + "x" * 60
    assert closest("?", [f"zone-{n}" for n in range(2000)]).endswith("zone-29 and 1,970 more")


def test_no_known_word_gives_no_guess() -> None:
    assert closest("x", []) == "known: none"
