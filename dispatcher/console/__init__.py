"""The one page that people look at: live orders, where they are, how long is left, what was seen.

In: the shared queries and the event hub. Out: a NiceGUI page on the centre's own server.
Never: loads anything from outside this machine, asks the database once per visitor, or changes an order.
"""
