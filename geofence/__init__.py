"""Geofence: what cameras and sensors see, judged on the ground.

In:  `detectors.FrameDetections` of a camera, `ingest.Reading` of a sensor, each with its event time.
Out: `messages.IncidentEvent` (opened, updated, cleared) with place, unit grid cell, dwell and reason.
Never: knows departments or deadlines, decodes a picture, reads a clock.
"""
