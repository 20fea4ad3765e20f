"""The wire to a time-series store: one synchronous write, and a mark that tells its process from the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from ingest.config import SinkSettings

# Where a store says when its process started (VictoriaMetrics and InfluxDB 2 both do, in whole seconds).
_STARTED_METRIC = "process_start_time_seconds"
_MALFORMED = frozenset({400, 413, 422})


class WriteRefused(Exception):  # noqa: N818 - an answer of the store, not a defect
    """The store says that the lines themselves are wrong, or too many."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = answer


class StoreUnavailable(Exception):  # noqa: N818 - the world's fault, retried
    """The store cannot take anything at the moment.

    reason: a short constant such as ``unreachable`` or ``http_503``
    retry_after_s: how long the store asks us to wait; None where it does not
    """

    def __init__(self, reason: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s


class StoreMark(NamedTuple):
    """Which process of the store answered; None where the store does not say.

    VictoriaMetrics loses the last seconds when it is killed: a new process means that rows may be gone.
    """

    started: str | None


class InfluxClient:
    """Writes line protocol to ``/api/v2/write`` (InfluxDB 2 and 3, VictoriaMetrics)."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        timeout_ms = int(settings.timeout_s * 1000)
        self._client = InfluxDBClient(
            url=settings.url.rstrip("/"),
            token=settings.token,
            org=settings.org,
            timeout=timeout_ms,
            enable_gzip=True,
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)
        self._http = urllib3.PoolManager(timeout=settings.timeout_s, retries=False)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines in nanoseconds; WriteRefused or StoreUnavailable where they were not all taken."""
        body = "\n".join(lines).encode("utf-8")
        try:
            # Nanoseconds are the library's default.
            self._write_api.write(bucket=self._settings.bucket, org=self._settings.org, record=body)
        except ApiException as error:
            answer = " ".join(str(error.body or error.reason or "").split())[:200]
            if error.status in _MALFORMED:
                raise WriteRefused(error.status, answer) from None
            raise StoreUnavailable(f"http_{error.status}", answer, _retry_after_s(error)) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable("unreachable", " ".join(str(error).split())[:200]) from None

    def ping(self) -> bool:
        """True when the store answers at all."""
        return bool(self._client.ping())

    def mark(self) -> StoreMark:
        """Return which process answers; StoreUnavailable when none does."""
        try:
            answer = self._http.request("GET", f"{self._settings.url.rstrip('/')}/metrics")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailable("unreachable", " ".join(str(error).split())[:200]) from None
        if answer.status != 200:
            return StoreMark(None)
        for line in answer.data.decode("utf-8", "replace").splitlines():
            if line.startswith(f"{_STARTED_METRIC} "):
                return StoreMark(line.strip())
        return StoreMark(None)

    def close(self) -> None:
        """Close the connections."""
        self._write_api.close()  # type: ignore[no-untyped-call]  # untyped in the library
        self._client.close()  # type: ignore[no-untyped-call]  # untyped in the library
        self._http.clear()


def _retry_after_s(error: ApiException) -> float | None:
    text = "" if error.headers is None else str(error.headers.get("Retry-After") or "")
    return float(text) if text.isascii() and text.isdigit() else None
