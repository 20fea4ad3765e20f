"""Orders as GeoJSON (RFC 7946, WGS 84, longitude first)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatcher.messages import WorkOrder
from dispatcher.wire import order_view

MEDIA_TYPE = "application/geo+json"


def point(*, lat: float, lng: float) -> dict[str, Any]:
    """Return a Point geometry; the one place of this stage where the order of the axes is swapped."""
    return {"type": "Point", "coordinates": [lng, lat]}


def orders_collection(orders: Iterable[WorkOrder]) -> dict[str, Any]:
    """Return a FeatureCollection with one Feature for each order, its id being the case number."""
    return {"type": "FeatureCollection", "features": [_feature(order) for order in orders]}


def empty_collection() -> dict[str, Any]:
    """Return a FeatureCollection without features."""
    return {"type": "FeatureCollection", "features": []}


def _feature(order: WorkOrder) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": order.case_no,
        "geometry": point(lat=order.lat, lng=order.lng),
        "properties": order_view(order).model_dump(mode="json", exclude={"lat", "lng"}),
    }
