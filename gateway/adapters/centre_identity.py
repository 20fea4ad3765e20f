"""The id of a centre: new with its folder, kept as long as the folder with its orders is."""

from __future__ import annotations

import uuid
from pathlib import Path

_NAME = "centre.id"


def centre_id(data_folder: Path) -> str:
    """The id that lies in the folder; made at the first call."""
    file = data_folder / _NAME
    if not file.is_file():
        fresh = file.with_name(f"{_NAME}.new")
        fresh.write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
        fresh.replace(file)
    return file.read_text(encoding="utf-8").strip()
