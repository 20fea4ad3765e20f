"""Serves the API and the page over a database: DATABASE PORT."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from dispatcher.adapters.database import open_engine
from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.http_server import CentreServer
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.adapters.queries import OrderQueries
from dispatcher.api import create_app
from dispatcher.api.app import SiteMap
from dispatcher.config import parse_policy
from dispatcher.console.page import mount_console

CELL = {
    "type": "Feature",
    "properties": {"code": "110101001001001"},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[116.4, 39.9], [116.402, 39.9], [116.402, 39.902], [116.4, 39.902], [116.4, 39.9]]],
    },
}

POLICY = Path(__file__).parents[2] / "one_camera_site" / "policy.toml"


def main(database: str, port: str) -> None:
    policy = parse_policy(POLICY.read_text("utf-8"), "policy.toml")
    queries = OrderQueries(open_engine(f"sqlite:///{database}"))
    hub = EventHub(queries)
    app = create_app(
        queries=queries,
        hub=hub,
        metrics=CentreMetrics(queries),
        policy=policy,
        site_map=SiteMap(grid={"type": "FeatureCollection", "features": [CELL]}),
        version="test",
    )
    mount_console(app, queries=queries, hub=hub, policy=policy)
    CentreServer(uvicorn.Config(app, host="127.0.0.1", port=int(port), log_level="warning"), hub).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
