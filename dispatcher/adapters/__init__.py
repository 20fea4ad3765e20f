"""Everything of the dispatcher that touches a database, a thread, a clock or the network.

In: decisions of the pure core. Out: committed rows, published events, HTTP streams.
Never: holds a rule about departments, deadlines or states.
"""
