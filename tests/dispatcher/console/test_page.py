"""The page in a real browser: it lists, it lives, it stays at home."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geofence.messages import IncidentEvent

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre
    from tests.dispatcher.console.conftest import OpenTab, ServeBoard

ROWS = "document.querySelectorAll('.rows .row').length"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def test_page_lists_orders_shows_new_ones_live_and_asks_nobody_outside(
    centre: Centre,
    garbage: IncidentEvent,
    *,
    database: Path,
    tmp_path: Path,
    open_tab: OpenTab,
    serve_board: ServeBoard,
) -> None:
    now = datetime.now(UTC)
    centre.send(replace(garbage, at=now, began_at=now), jpeg=PIXEL)
    with serve_board(database) as address, open_tab(f"{address}/", tmp_path / "profile") as tab:
        tab.wait_for(f"{ROWS} === 1")
        tab.wait_for("document.querySelectorAll('.place path.leaflet-interactive').length === 1")
        tab.wait_for("document.querySelector('.shot img').naturalWidth === 1")
        tab.wait_for("document.querySelector('.shot svg').getAttribute('viewBox') === '0 0 1 1'")
        tab.evaluate("window.neverReloaded = true")

        later = now + timedelta(seconds=1)
        centre.send(replace(garbage, incident_id="inc-2", place_key="p2", at=later), received_at=later)
        tab.wait_for(f"{ROWS} === 2")
        tab.wait_for("document.querySelectorAll('.place path.leaflet-interactive').length === 2")
        newest = "document.querySelector('.rows .row.selected').dataset.case"
        newest_case = tab.evaluate(newest)
        assert tab.evaluate("document.querySelector('[data-figure=\"count.open\"] b').textContent") == "2"

        tab.evaluate("document.querySelectorAll('.rows .row')[1].click()")
        tab.wait_for(f"{newest} !== '{newest_case}'")
        assert tab.evaluate("window.neverReloaded") is True
        assert tab.evaluate("document.querySelector('.place .leaflet-tile-pane').childElementCount") == 0
        assert tab.errors == []
        hosts = {urlsplit(url).hostname for url in tab.requested if urlsplit(url).scheme not in ("data", "blob")}
        assert hosts == {"127.0.0.1"}
