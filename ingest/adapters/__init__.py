"""Ingest's side of the world: broker, connection, spool, time-series store.

In:  a broker's address, a file for the spool, a store's address.
Out: raw messages by cursor, acknowledgements after the commit, readings to the store.
Never: decodes a payload, loses an acknowledged message, lets a slow store hold up the intake.
"""
