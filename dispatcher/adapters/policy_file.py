"""Reads the policy file from disk."""

from __future__ import annotations

from pathlib import Path

from dispatcher.config import parse_policy
from dispatcher.errors import PolicyError
from dispatcher.policy import Policy


def load_policy(path: Path) -> Policy:
    """Read, parse and lint `path`; raises PolicyError with one line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PolicyError(str(path), "file", error.strerror, "should be a readable policy file") from error
    except UnicodeDecodeError as error:
        raise PolicyError(str(path), "file", f"byte {error.start}", "should be UTF-8 text") from error
    return parse_policy(text, str(path))
