"""Where a gateway with the embedded broker leaves its address for the centre on the same machine."""

from __future__ import annotations

from pathlib import Path

from gateway.errors import StartError

_NAME = "broker.url"


def write_broker_file(data_folder: Path, url: str) -> None:
    """Leave the address; replaces an older one in one step."""
    fresh = data_folder / f"{_NAME}.new"
    fresh.write_text(url + "\n", encoding="utf-8")
    fresh.replace(data_folder / _NAME)


def read_broker_file(data_folder: Path) -> str:
    """The address that the gateway left; raises StartError when there is none."""
    try:
        return (data_folder / _NAME).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartError(
            f"{data_folder / _NAME}: {error.strerror}; the gateway with the embedded broker writes it at its start: "
            "start `street721 gateway` with the same data_dir first, or set [broker] url"
        ) from error
