"""Routes that read orders, their evidence and their places."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, AwareDatetime

from dispatcher.adapters.queries import OrderFilter, OrderQueries
from dispatcher.api.models import CaseView, OrderPage, Problem, case_view
from dispatcher.api.paging import decode_cursor, encode_cursor
from dispatcher.geojson import MEDIA_TYPE, orders_collection
from dispatcher.messages import OrderState, WorkOrder
from dispatcher.wire import order_view
from geofence.messages import IncidentKind

MAX_PAGE = 500

CaseNo = Annotated[str, Path(pattern=r"^[0-9]{19}$", description="19 digits: adcode, day, daily number")]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Orders on one page")]


def _checked_cursor(cursor: str) -> str:
    decode_cursor(cursor)
    return cursor


def order_filter(
    *,
    state: Annotated[list[OrderState] | None, Query(description="May be given several times")] = None,
    kind: Annotated[list[IncidentKind] | None, Query(description="May be given several times")] = None,
    cell: Annotated[str | None, Query(pattern=r"^[0-9A-Z]{15,16}$", description="Unit grid code")] = None,
    is_open: Annotated[bool | None, Query(description="Only open, or only ended cases")] = None,
    updated_after: Annotated[AwareDatetime | None, Query(description="RFC 3339 with offset")] = None,
    cursor: Annotated[
        str | None, AfterValidator(_checked_cursor), Query(description="`next_cursor` of the page before")
    ] = None,
) -> OrderFilter:
    """Collect the conditions of a list request."""
    return OrderFilter(
        states=frozenset(state or ()),
        kinds=frozenset(kind or ()),
        cell=cell,
        is_open=is_open,
        updated_after=updated_after,
        before=None if cursor is None else decode_cursor(cursor),
    )


Wanted = Annotated[OrderFilter, Depends(order_filter)]
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such case or picture"}}


def order_routes(queries: OrderQueries) -> APIRouter:
    """Return the routes below ``/api/orders``."""
    router = APIRouter(prefix="/api", tags=["orders"])

    @router.get("/orders")
    def list_orders(wanted: Wanted, limit: PageLimit = 100) -> OrderPage:
        """List work orders, newest first."""
        orders, next_cursor = _page(queries, wanted, limit)
        return OrderPage(orders=[order_view(order) for order in orders], next_cursor=next_cursor)

    @router.get(
        "/orders.geojson",
        response_class=JSONResponse,
        responses={200: {"content": {MEDIA_TYPE: {}}, "description": "RFC 7946 FeatureCollection"}},
    )
    def orders_geojson(wanted: Wanted, limit: PageLimit = MAX_PAGE) -> JSONResponse:
        """The same list as a GeoJSON FeatureCollection."""
        orders, next_cursor = _page(queries, wanted, limit)
        body = {**orders_collection(orders), "next_cursor": next_cursor}
        return JSONResponse(body, media_type=MEDIA_TYPE)

    @router.get("/orders/{case_no}", responses=_NOT_FOUND)
    def get_order(case_no: CaseNo) -> CaseView:
        """One work order with history and evidence links."""
        case = queries.case_file(case_no)
        if case is None:
            raise HTTPException(404, f"没有案卷 {case_no} · no work order {case_no}")
        return case_view(case)

    @router.get(
        "/orders/{case_no}/evidence/{sha256}",
        response_class=Response,
        responses={**_NOT_FOUND, 200: {"content": {"image/jpeg": {}}, "description": "The picture as captured"}},
    )
    def get_evidence(case_no: CaseNo, sha256: Sha256) -> Response:
        """An evidence picture; its content never changes, being named by its hash."""
        picture = queries.picture(case_no, sha256)
        if picture is None:
            raise HTTPException(404, f"案卷 {case_no} 没有该证据 · no such evidence in work order {case_no}")
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{sha256}"',
        }
        return Response(picture.content, media_type=picture.media_type, headers=headers)

    return router


def _page(queries: OrderQueries, wanted: OrderFilter, limit: int) -> tuple[list[WorkOrder], str | None]:
    """Read one order more than asked for: whether it exists says whether there is a next page."""
    orders = queries.orders(wanted, limit=limit + 1)
    if len(orders) <= limit:
        return orders, None
    return orders[:limit], encode_cursor(orders[limit - 1])
