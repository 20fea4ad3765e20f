"""The schema's history for Alembic, shipped in the wheel and run when the centre starts.

In: an open connection. Out: the current schema. Never: reads an ini file or opens a database itself.
"""
