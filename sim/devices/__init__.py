"""What stands between the street and the network: cameras and sensors, and everything that goes wrong with them.

In:  the world at a second.
Out: pictures and messages as real devices send them.
Never: a socket, a file, a clock.
"""
