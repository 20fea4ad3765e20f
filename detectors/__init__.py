"""Detectors: batches of JPEGs come in, detections in pixels go out (one `FrameDetections` per picture).

In:  encoded pictures, any size, any number.
Out: `messages.FrameDetections`, arrays per frame, boxes in pixels of the original picture.
Never: knows where on earth a camera stands, or what a rule is.
"""

from detectors.detector import Detector
from detectors.errors import DetectorError, DeviceError, ModelError
from detectors.messages import FrameDetections
from detectors.opening import open_detector

__all__ = ["Detector", "DetectorError", "DeviceError", "FrameDetections", "ModelError", "open_detector"]
