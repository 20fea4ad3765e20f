"""One camera of a scenario: what it draws at each of its shutter times, and what really leaves it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from sim.devices.faults import MAX_BACKLOG_FRAMES, CameraFault, FrameChain, Outgoing, pose_of
from sim.drawing.painter import DrawnFrame, Shown, StreetPainter
from sim.scenario import CameraPart, Scenario
from sim.street.body import Body
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street
from sim.street.weather import Weather

# A camera that was moved needs its own painter; more poses than this at a time nobody keeps.
_MAX_POSES = 3
# What a lost link kept is delivered late, and each picture is told by its bytes.
_KEPT_PICTURES = MAX_BACKLOG_FRAMES + 1
_END_OF_JPEG = b"\xff\xd9"
_SWAY_CHANCE, _GRAIN_CHANCE = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One opening of the shutter.

    second:   of the run; pose: where the camera really looked; shown: what was before it
    outgoing: the pictures that leave the camera now, none or several
    readable: (captured second, what the picture shows) of those that can be decoded
    faults:   names of the faults it has at this moment
    """

    second: float
    weather: Weather
    pose: PinholeCamera
    shown: tuple[Shown, ...]
    outgoing: tuple[Outgoing, ...]
    readable: tuple[tuple[float, tuple[Shown, ...]], ...]
    faults: tuple[str, ...]


@dataclass(slots=True)
class Filming:
    """The pictures of one camera; the same (scenario, camera, number of the frame) gives the same bytes."""

    scenario: Scenario
    street: Street
    camera: CameraPart
    number: int
    _painters: OrderedDict[PinholeCamera, StreetPainter] = field(default_factory=OrderedDict)
    _faults: tuple[CameraFault, ...] = field(init=False)
    _chain: FrameChain = field(init=False)
    _developed: OrderedDict[bytes, tuple[Shown, ...]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._faults = self.scenario.faults_of(self.camera.id)
        self._chain = FrameChain(self._faults, loop_s=self.scenario.loop_s)

    def second_of(self, frame_index: int) -> float:
        """When the shutter opens; the cameras of a street take turns."""
        share = self.number / len(self.scenario.cameras)
        return (frame_index + share) / self.camera.frames_per_s

    def shoot(self, frame_index: int, bodies: Sequence[Body]) -> Shot:
        """Frame `frame_index`; bodies are those of its second."""
        second = self.second_of(frame_index)
        moment = self.scenario.moment(second)
        pose = pose_of(self.camera.pinhole(), self._faults, moment)
        weather = self._weather(second)
        drawn = self.draw(bodies, second=second, frame_index=frame_index)
        outgoing = self._chain.send(second, lambda: self._develop(drawn))
        active = tuple(dict.fromkeys(fault.kind for fault in self._faults if fault.holds_at(moment)))
        return Shot(
            second=second,
            weather=weather,
            pose=pose,
            shown=drawn.shown,
            outgoing=tuple(outgoing),
            readable=tuple(self._readable(outgoing)),
            faults=active,
        )

    def draw(self, bodies: Sequence[Body], *, second: float, frame_index: int) -> DrawnFrame:
        """The picture before its camera's faults of transport."""
        pose = pose_of(self.camera.pinhole(), self._faults, self.scenario.moment(second))
        return self._painter(pose).draw(
            bodies,
            weather=self._weather(second),
            second=second,
            shift_px=self._sway(frame_index),
            grain=int(self._chance(_GRAIN_CHANCE, frame_index).integers(1 << 31)),
        )

    def _develop(self, drawn: DrawnFrame) -> bytes:
        jpeg = encode(drawn, self.camera.jpeg_quality)
        self._developed[_digest(jpeg)] = drawn.shown
        while len(self._developed) > _KEPT_PICTURES:
            self._developed.popitem(last=False)
        return jpeg

    def _readable(self, outgoing: Sequence[Outgoing]) -> Iterator[tuple[float, tuple[Shown, ...]]]:
        """What whole pictures show: one from before a freeze shows what was there then, a black one nothing."""
        for picture in outgoing:
            if picture.jpeg.endswith(_END_OF_JPEG):
                yield picture.captured_s, self._developed.get(_digest(picture.jpeg), ())

    def _weather(self, second: float) -> Weather:
        weather = self.scenario.weather_at(second)
        return Weather.INFRARED if self.camera.has_infrared and weather is Weather.NIGHT else weather

    def _sway(self, frame_index: int) -> tuple[float, float]:
        if self.camera.vibration_px == 0:
            return (0.0, 0.0)
        right, down = self._chance(_SWAY_CHANCE, frame_index).normal(0, self.camera.vibration_px, 2)
        return float(right), float(down)

    def _chance(self, purpose: int, frame_index: int) -> np.random.Generator:
        return np.random.default_rng((self.scenario.seed, purpose, self.number, frame_index))

    def _painter(self, pose: PinholeCamera) -> StreetPainter:
        if pose not in self._painters:
            self._painters[pose] = StreetPainter(self.street, pose, seed=self.scenario.seed)
        self._painters.move_to_end(pose)
        while len(self._painters) > _MAX_POSES:
            self._painters.popitem(last=False)
        return self._painters[pose]


def films_of(scenario: Scenario, street: Street) -> tuple[Filming, ...]:
    """All cameras of a scenario, ready to film."""
    return tuple(Filming(scenario, street, camera, number) for number, camera in enumerate(scenario.cameras))


def _digest(jpeg: bytes) -> bytes:
    return hashlib.blake2b(jpeg, digest_size=16).digest()


def encode(drawn: DrawnFrame, jpeg_quality: int) -> bytes:
    """The picture as JPEG, without a time."""
    done, encoded = cv2.imencode(".jpg", drawn.image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    if not done:
        raise RuntimeError("a drawn frame could not be encoded as JPEG")
    return encoded.tobytes()
