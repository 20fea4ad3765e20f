"""Builds the FastAPI application of the centre."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.adapters.queries import OrderQueries
from dispatcher.api.models import Health, Problem
from dispatcher.api.orders import order_routes
from dispatcher.api.stream import stream_routes
from dispatcher.errors import StoreUnavailableError
from dispatcher.geojson import MEDIA_TYPE, empty_collection
from dispatcher.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMap:
    """What the map shows beneath the orders: GeoJSON FeatureCollections, longitude first."""

    grid: Mapping[str, Any] = field(default_factory=empty_collection)
    zones: Mapping[str, Any] = field(default_factory=empty_collection)


def create_app(
    *,
    queries: OrderQueries,
    hub: EventHub,
    metrics: CentreMetrics,
    policy: Policy,
    site_map: SiteMap,
    version: str,
) -> FastAPI:
    """Return the API; the hub polls while the application runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        yield
        await hub.stop()

    app = FastAPI(
        title="street721",
        summary="Work orders of the 721 method · 城管 721 工作法案卷",
        version=version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(order_routes(queries))
    app.include_router(_map_routes(site_map))
    app.include_router(stream_routes(hub, metrics))
    app.include_router(_operation_routes(queries, metrics, policy, version))
    app.include_router(_unknown_paths())
    app.add_exception_handler(StoreUnavailableError, _answer_unavailable)
    return app


def _map_routes(site_map: SiteMap) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["map"])
    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": {MEDIA_TYPE: {}}, "description": "RFC 7946 FeatureCollection"}
    }

    @router.get("/grid.geojson", response_class=JSONResponse, responses=answers)
    async def grid() -> JSONResponse:
        """The unit grid cells of the site."""
        return JSONResponse(site_map.grid, media_type=MEDIA_TYPE)

    @router.get("/zones.geojson", response_class=JSONResponse, responses=answers)
    async def zones() -> JSONResponse:
        """The zones of the site."""
        return JSONResponse(site_map.zones, media_type=MEDIA_TYPE)

    return router


def _operation_routes(queries: OrderQueries, metrics: CentreMetrics, policy: Policy, version: str) -> APIRouter:
    router = APIRouter(tags=["operation"])
    unavailable: dict[int | str, dict[str, Any]] = {
        503: {"model": Problem, "description": "The database cannot be reached"}
    }

    @router.get("/health", responses=unavailable)
    def health() -> Health:
        """Whether the centre answers and its database does."""
        return Health(status="ok", version=version, policy_version=policy.version, last_seq=queries.last_seq())

    @router.get("/metrics", response_class=Response, responses=unavailable)
    def prometheus() -> Response:
        """Figures in the Prometheus text form."""
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return router


def _unknown_paths() -> APIRouter:
    """Answer unknown API paths in JSON, whatever page may be mounted at the root."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/{path:path}")
    async def unknown(path: str) -> None:
        raise HTTPException(404, f"没有接口 /api/{path} · no such path /api/{path}")

    return router


async def _answer_unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"数据库不可用 · database unavailable: {error}"}, status_code=503)
