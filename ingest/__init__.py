"""Ingest: from MQTT messages to readings and frames.

In:  MQTT messages of sensors and cameras, through any broker or the embedded one.
Out: `Reading` and `Frame`, decoded from a durable spool; readings also as line protocol to a
     time-series store; what cannot be decoded as `DeadLetter`, whole and with its reason.
Never: interprets a picture, knows a place or a rule, acknowledges what is not on disk.
"""
