"""The centre's HTTP server."""

from __future__ import annotations

import socket

import uvicorn

from dispatcher.adapters.event_hub import EventHub


class CentreServer(uvicorn.Server):
    """uvicorn that ends the open event streams first; otherwise shutdown waits for them for ever."""

    def __init__(self, config: uvicorn.Config, hub: EventHub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the streams, then everything else."""
        self._hub.close()
        await super().shutdown(sockets)
