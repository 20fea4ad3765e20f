"""The gateway's small HTTP side: /health, /ready, /metrics."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from gateway.errors import StartError
from gateway.health import GatewayHealth


class HealthServer:
    """Listens from construction on, so that a port in use is known before anything else starts."""

    def __init__(self, host: str, port: int, health: GatewayHealth) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler_for(health))
        except OSError as error:
            raise StartError(
                f"{host}:{port} cannot be used: {error.strerror}; choose another with --port or [gateway] port"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/health"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler_for(health: GatewayHealth) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?", 1)[0]
            if path == "/health":
                self._answer(200, "application/json", json.dumps(health.as_json(), ensure_ascii=False).encode())
            elif path == "/ready":
                state = {"status": "ready" if health.is_ready else "waiting"}
                self._answer(200 if health.is_ready else 503, "application/json", json.dumps(state).encode())
            elif path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, health.as_prometheus())
            else:
                self._answer(404, "text/plain", b"there are /health, /ready and /metrics\n")

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            """Nothing per request."""

    return Handler
