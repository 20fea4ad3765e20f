"""The simulator: a street that stands in for devices, so that the product can be tried and measured without one.

In:  a scenario file and a seed.
Out: frames and readings as real cameras and sensors send them, over MQTT or to disk, and the exact truth beside
     them; a generated site folder; scores of what the product made of it.
Never: imported by a stage, and imports none of them.
"""
