"""Cursors of the order list: opaque outside, the place of the last order inside."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from dispatcher.messages import WorkOrder


def encode_cursor(order: WorkOrder) -> str:
    """Return the cursor that continues after `order`."""
    return base64.urlsafe_b64encode(f"{order.filed_at.isoformat()}|{order.case_no}".encode()).decode("ascii")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """Return (filed_at, case_no); raises ValueError for anything that `encode_cursor` did not make."""
    try:
        moment, _, case_no = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition("|")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("is not a cursor of this list") from error
    filed_at = datetime.fromisoformat(moment)
    if filed_at.tzinfo is None or not case_no:
        raise ValueError("is not a cursor of this list")
    return filed_at, case_no
