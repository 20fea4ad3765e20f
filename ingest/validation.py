"""What pydantic found wrong with a device's message, as one line for a person."""

from __future__ import annotations

from pydantic import ValidationError


def is_broken_json(error: ValidationError) -> bool:
    """True where the text was no JSON at all, rather than JSON of another shape."""
    return error.errors(include_url=False, include_context=False, include_input=False)[0]["type"] == "json_invalid"


def first_fault(error: ValidationError, *, expected: str) -> str:
    """Return the first problem as one line that also says what would be right."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    line = f"{where}: {fault['msg']}" if where else fault["msg"]
    return f"{' '.join(line.split())[:200]}; expected {expected}"
