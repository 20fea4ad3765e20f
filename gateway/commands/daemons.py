"""`street721 gateway` and `street721 centre`: the two daemons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.config import Settings, load_settings
from gateway.errors import StartError
from gateway.logs import set_up_logs
from gateway.supervisor import Supervisor

ConfigOption = Annotated[Path | None, typer.Option(help="settings file; default: the one that comes along")]
BrokerOption = Annotated[str | None, typer.Option(help="embedded, or mqtt://[user:password@]host[:port], mqtts://…")]
SiteOption = Annotated[str | None, typer.Option(help="a shipped site, or the path of a site folder")]
DataOption = Annotated[Path | None, typer.Option(help="folder for spool, orders and the embedded broker")]
PortOption = Annotated[int | None, typer.Option(min=0, max=65535, help="HTTP port on this machine")]


def gateway(
    config: ConfigOption = None,
    broker: BrokerOption = None,
    site: SiteOption = None,
    data_dir: DataOption = None,
    port: PortOption = None,
) -> None:
    """Take sensors and cameras in, find trouble, send incidents to the centre. Runs until Ctrl-C.

    Examples:

        street721 gateway

        street721 gateway --config my.toml --broker mqtts://user:secret@10.0.0.5

    /health and /metrics answer on port 8722.
    """
    settings = _settings(config, broker, site, data_dir, {"gateway.port": port})
    from gateway.wiring import build_gateway  # noqa: PLC0415  the engines take a second to load: not for --help

    supervisor = Supervisor()
    supervisor.catch_signals()
    _end(build_gateway(settings, supervisor).run(supervisor))


def centre(
    config: ConfigOption = None,
    broker: BrokerOption = None,
    site: SiteOption = None,
    data_dir: DataOption = None,
    port: PortOption = None,
) -> None:
    """Turn incidents into work orders; serve the page, the API and the feeds. Runs until Ctrl-C.

    Examples:

        street721 centre

        street721 centre --config my.toml --port 8080

    The page is on http://127.0.0.1:8721/ unless told otherwise.
    """
    settings = _settings(config, broker, site, data_dir, {"centre.port": port})
    from gateway.wiring import build_centre  # noqa: PLC0415

    supervisor = Supervisor()
    supervisor.catch_signals()
    _end(build_centre(settings, supervisor).run(supervisor))


def _settings(
    config: Path | None, broker: str | None, site: str | None, data_dir: Path | None, more: dict[str, int | None]
) -> Settings:
    set_up_logs()
    data = None if data_dir is None else str(data_dir)
    return load_settings(config, {"broker.url": broker, "site": site, "data_dir": data, **more})


def _end(failure: str | None) -> None:
    if failure is not None:
        raise StartError(failure)
