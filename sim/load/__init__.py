"""The messages of a load test: packets worded in batches, what is in flight, and the report.

The sockets are in `sim/adapters/`.
"""
