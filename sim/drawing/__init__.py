"""Pictures of the street: bodies, ground, houses, weather and the camera's own faults of sight.

In:  a street, a camera, the bodies of one moment, a condition of light.
Out: a BGR picture and, for every body, its box and how much of it is to be seen.
Never: a clock, a file, chance that does not come from a seed.
"""
