"""Class names as exporters leave them in a weights file."""

from __future__ import annotations

import ast


def names_in_metadata(text: str) -> tuple[str, ...] | None:
    """Names written as a Python mapping or list, in the order of the output; None when it is neither."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names)]
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else None
