"""Puts the page onto the centre's application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from nicegui import ui
from nicegui.events import GenericEventArguments

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.queries import OrderQueries
from dispatcher.console.board import Board
from dispatcher.console.render import detail_html, header_html, legend_html, list_head_html, list_html
from dispatcher.policy import Policy
from dispatcher.texts import both_plain, text

_ASSETS = Path(__file__).parent / "assets"
_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" '
    'fill="#11191c"/><path d="M7 9h18v4L16 26h-5l8-12H7z" fill="#e9b949"/></svg>'
)
_LOOK_S = 0.25


def mount_console(app: FastAPI, *, queries: OrderQueries, hub: EventHub, policy: Policy) -> None:
    """Serve the page at ``/``; call it once, after every other route of `app` exists."""
    board = Board(queries, hub, policy)
    app.mount("/console", StaticFiles(directory=_ASSETS), name="console")
    _run_with_app(app, board)

    @ui.page("/", title=both_plain(text("title")), favicon=_FAVICON, dark=True)
    async def index() -> None:
        await _Visit(board, policy).build()

    ui.run_with(
        app,
        title=both_plain(text("title")),
        dark=True,
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )


def _run_with_app(app: FastAPI, board: Board) -> None:
    """Let the board live inside the application's own lifespan, after the hub has started."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with inner(running):
            await board.start()
            yield
            await board.stop()

    app.router.lifespan_context = lifespan


class _Visit:
    """One open page. Until its visitor chooses an order, it follows the newest one."""

    def __init__(self, board: Board, policy: Policy) -> None:
        self._board = board
        self._policy = policy
        self._chosen: str | None = None
        self._shown: tuple[int, str | None] = (-1, None)
        self._header_text = ""
        self._places_text = ""

    async def build(self) -> None:
        """Lay the page out, draw the first state, then look for news."""
        ui.add_head_html('<link rel="stylesheet" href="/console/console.css">')
        ui.add_head_html('<script src="/console/console.js"></script>')
        with ui.element("div").classes("s721"):
            self._header = ui.html(sanitize=False, tag="header").classes("bar")
            with ui.element("section").classes("orders"):
                ui.html(list_head_html(), sanitize=False).classes("row head")
                self._list = ui.html(sanitize=False).classes("rows")
            with ui.element("section").classes("place"):
                self._map = ui.leaflet(options={"attributionControl": False, "zoomSnap": 0.25})
                self._map.clear_layers()  # drops the default tiles before a browser hears of them
                ui.html(legend_html(), sanitize=False).classes("legend")
            self._detail = ui.html(sanitize=False, tag="section").classes("detail")
        self._map.on("init", self._map_ready)
        ui.on("s721_choose", self._choose)
        await self._look()
        ui.timer(_LOOK_S, self._look)

    async def _look(self) -> None:
        """Redraw what changed since the last look."""
        snapshot = self._board.snapshot
        header = header_html(snapshot.standing, self._policy.calendar.zone)
        if header != self._header_text:
            self._header_text = header
            self._header.set_content(header)
        order = snapshot.find(self._chosen) or (snapshot.orders[0] if snapshot.orders else None)
        selected = None if order is None else order.case_no
        if (snapshot.number, selected) == self._shown:
            return
        self._shown = (snapshot.number, selected)
        rows = list_html(snapshot.orders, self._policy, now=snapshot.read_at, selected=selected)
        self._list.set_content(rows)
        case = None if order is None else await self._board.case_file(order)
        self._detail.set_content(detail_html(case, self._policy))
        self._send_places()

    def _map_ready(self) -> None:
        ui.run_javascript(f"s721.attach(getElement({self._map.id}).map)")
        self._places_text = ""
        self._send_places()

    def _send_places(self) -> None:
        if not self._map.is_initialized:
            return
        places = json.dumps(self._board.snapshot.places, ensure_ascii=False)
        call = f"s721.places({places}, {json.dumps(self._shown[1])})"
        if call != self._places_text:
            self._places_text = call
            ui.run_javascript(call)

    async def _choose(self, event: GenericEventArguments) -> None:
        """Pin the order that was clicked; a second click lets go of it."""
        case_no = str(event.args)
        self._chosen = None if case_no == self._chosen else case_no
        await self._look()
