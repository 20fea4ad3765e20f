"""The street as a thing of metres and rules: what it is made of, where it lies, what stands on it, what is wrong.

In:  the tables of a scenario, the bodies of a moment.
Out: geometry, cameras' view of it, light, and the true incidents.
Never: pictures, devices, a clock.
"""
