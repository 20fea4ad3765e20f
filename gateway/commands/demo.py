"""`street721 demo`: everything on this machine, with a live table or a JSON summary."""

from __future__ import annotations

import json
import logging
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from dispatcher.texts import text
from gateway.config import scenario_file
from gateway.demo_site import DemoOptions, DemoOrder, DemoSite, refresh, summarise
from gateway.logs import set_up_logs
from gateway.supervisor import Supervisor
from sim.scenario import load_scenario

_REFRESH_S = 0.25


def demo(
    for_s: Annotated[float | None, typer.Option("--for", min=1, help="end by itself after this many seconds")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON summary at the end")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="port of the page, on 127.0.0.1")] = 8721,
    site: Annotated[str, typer.Option(help="a shipped site, or the path of a site folder with scenario.toml")] = "demo",
    broker: Annotated[str | None, typer.Option(help="use this broker instead of the embedded one")] = None,
    folder: Annotated[
        Path | None, typer.Option("--data-dir", help="keep data and logs here; default: a new one")
    ] = None,
) -> None:
    """Run the whole product on this machine: broker, simulator, gateway, centre and page.

    The page's address is printed; Ctrl-C ends everything.

    Examples:

        street721 demo

        street721 demo --for 90 --json

        street721 demo --broker mqtt://127.0.0.1:1883
    """
    set_up_logs(logging.WARNING)
    data = folder or Path(tempfile.mkdtemp(prefix="street721-demo-"))
    data.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=as_json)
    options = DemoOptions(folder=data, port=port, site=site, broker_url=broker)
    demo_site = DemoSite(options, load_scenario(scenario_file(site)).process_faults())
    supervisor = Supervisor()
    supervisor.catch_signals()
    try:
        with console.status("") as status:
            demo_site.start(lambda step: status.update(f"{step} …"))
        console.print(f"page     {demo_site.page_url}\ndata     {data}\nstop     Ctrl-C", highlight=False)
        orders, counts = _watch(demo_site, supervisor, console, for_s)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        demo_site.stop()
    if as_json:
        sys.stdout.write(json.dumps(summarise(orders, counts), ensure_ascii=False) + "\n")


def _watch(
    demo_site: DemoSite, supervisor: Supervisor, console: Console, for_s: float | None
) -> tuple[list[DemoOrder], dict[str, int]]:
    started = time.monotonic()
    orders: dict[str, DemoOrder] = {}
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            for line in demo_site.tend():
                console.print(line, highlight=False)
            counts = demo_site.counts()
            fresh = refresh(orders, demo_site.orders(), seen_at=datetime.now(UTC))
            if console.is_terminal:
                live.update(_table(orders, counts, time.monotonic() - started), refresh=True)
            else:
                for order in fresh:
                    console.print("  ".join(_cells(order)), highlight=False, soft_wrap=True)
            left_s = _REFRESH_S if for_s is None else min(_REFRESH_S, started + for_s - time.monotonic())
            if left_s <= 0 or supervisor.is_ending():
                return list(orders.values()), counts
            supervisor.wait(left_s)


def _table(orders: dict[str, DemoOrder], counts: dict[str, int], second: float) -> Table:
    table = Table(
        title=f"{second:4.0f} s   {counts.get('frames_inferred', 0)} frames, "
        f"{counts.get('readings_stored', 0)} readings, {counts.get('dead_letters', 0)} dead letters",
        title_justify="left",
    )
    for heading in ("案卷号 case", "类别 kind", "单元网格 cell", "部门 dept", "状态 state", "期限 due", "延迟 latency"):
        table.add_column(heading)
    for order in sorted(orders.values(), key=lambda item: item.case_no, reverse=True)[:20]:
        table.add_row(*_cells(order))
    return table


def _cells(order: DemoOrder) -> tuple[str, ...]:
    return (
        order.case_no,
        text(f"kind.{order.kind}").zh,
        order.cell or "–",
        order.lead_dept,
        text(f"state.{order.state}").zh,
        f"{order.due_at.astimezone():%m-%d %H:%M}",
        f"{order.latency_s:.2f} s",
    )
