"""The HTTP interface of the centre: orders, evidence, GeoJSON, the event stream, health and metrics.

In: HTTP requests. Out: JSON, pictures, server-sent events. Never: holds SQL, or changes an order.
"""

from dispatcher.api.app import create_app

__all__ = ["create_app"]
