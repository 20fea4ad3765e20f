"""The simulator: stands in for devices, so that the product can be tried and tested without a street.

In:  a site folder and a scenario (files).
Out: MQTT messages as real sensors and cameras send them.
Never: imported by a stage, and imports none of them; it shares only the MQTT transport.
"""
