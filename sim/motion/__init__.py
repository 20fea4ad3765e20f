"""The street in motion: actors, traffic and pedestrians, as bodies at any second.

In:  a street, the tables of actors and traffic, a seed.
Out: `World.bodies_at(second)`.
Never: a clock, chance that does not come from the seed.
"""
