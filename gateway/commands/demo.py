"""`street721 demo`: everything on this machine, with a live table or a JSON summary."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from dispatcher.texts import text
from rich.console import Console
from rich.live import Live
from rich.table import Table

from gateway.demo_site import DemoOptions, DemoSite, latency_s, summarise
from gateway.supervisor import Supervisor

_REFRESH_S = 0.5


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
    data = folder or Path(tempfile.mkdtemp(prefix="street721-demo-"))
    data.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=as_json)
    demo_site = DemoSite(DemoOptions(folder=data, port=port, site=site, broker_url=broker))
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
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    started = time.monotonic()
    with Live(console=console, refresh_per_second=2, transient=False, auto_refresh=console.is_terminal) as live:
        seen = 0
        while True:
            demo_site.check()
            orders, counts = demo_site.orders(), demo_site.counts()
            if console.is_terminal:
                live.update(_table(orders, counts, time.monotonic() - started))
            for order in reversed(orders[: len(orders) - seen] if not console.is_terminal else []):
                console.print(_line(order), highlight=False, soft_wrap=True)
            seen = len(orders)
            left_s = _REFRESH_S if for_s is None else min(_REFRESH_S, started + for_s - time.monotonic())
            if left_s <= 0 or supervisor.is_ending():
                return orders, counts
            supervisor.wait(left_s)


def _table(orders: list[dict[str, Any]], counts: dict[str, int], second: float) -> Table:
    table = Table(
        title=f"{second:4.0f} s   {counts.get('frames_inferred', 0)} frames, {counts.get('readings_stored', 0)} readings, "
        f"{counts.get('dead_letters', 0)} dead letters",
        title_justify="left",
    )
    for heading in ("案卷号 case", "类别 kind", "单元网格 cell", "部门 dept", "状态 state", "期限 due", "延迟 latency"):
        table.add_column(heading)
    for order in orders[:20]:
        table.add_row(*_cells(order))
    return table


def _line(order: dict[str, Any]) -> str:
    return "  ".join(_cells(order))


def _cells(order: dict[str, Any]) -> tuple[str, ...]:
    latency = latency_s(order)
    due = datetime.fromisoformat(order["due_at"]).astimezone()
    return (
        order["case_no"],
        text(f"kind.{order['kind']}").zh,
        order["cell"] or "–",
        order["department_name"],
        text(f"state.{order['state']}").zh,
        f"{due:%m-%d %H:%M}",
        "–" if latency is None else f"{latency:.2f} s",
    )
