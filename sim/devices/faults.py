"""What fails on the way from the lens to the product: scenario tables, and what of a camera's pictures gets out.

A fault of a camera holds from ``from_s`` to ``until_s``; several may hold at once and act in the order of the way:
the mast (move), the sensor (black), the encoder (freeze, truncate), the clock (clock_jump), the network (repeat,
link_lost). The faults of processes are data only: who runs the processes acts on them.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, model_validator

from sim.part import Part, Span
from sim.street.pinhole import PinholeCamera

# What the flash memory of a camera holds; older frames are overwritten.
MAX_BACKLOG_FRAMES = 600
# A cut JPEG keeps its header and loses at least the last tenth.
_CUT_FROM, _CUT_TO = 0.3, 0.9

_Angle = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
_Second = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CameraFault(Span):
    """Something that is wrong with one camera for a while."""

    kind: str
    camera: str = Field(min_length=1, description="id of a camera of the scenario")


class Freeze(CameraFault):
    """The last picture before it again and again, with new capture times; frozen from the first, that one."""

    kind: Literal["freeze"]


class Black(CameraFault):
    """A black picture of the same size: a cap on the lens, a dead sensor."""

    kind: Literal["black"]


class Move(CameraFault):
    """The camera looks elsewhere than its control points say: a lorry hit the mast, a storm turned it."""

    kind: Literal["move"]
    pan_deg: _Angle = Field(default=0.0, description="clockwise seen from above")
    tilt_deg: _Angle = Field(default=0.0, description="further down")

    @model_validator(mode="after")
    def _turns(self) -> Move:
        if self.pan_deg == 0 and self.tilt_deg == 0:
            raise ValueError("pan_deg and tilt_deg are both 0; a camera that moves needs one of them")
        return self


class LinkLost(CameraFault):
    """Nothing gets through; with keeps_backlog, what was taken meanwhile is sent when the link is back."""

    kind: Literal["link_lost"]
    keeps_backlog: bool = False


class Truncate(CameraFault):
    """The end of every JPEG is missing."""

    kind: Literal["truncate"]


class Repeat(CameraFault):
    """Every frame is sent twice, byte by byte the same."""

    kind: Literal["repeat"]


class ClockJump(CameraFault):
    """The camera's clock is wrong by jump_s, positive in the future."""

    kind: Literal["clock_jump"]
    jump_s: float = Field(allow_inf_nan=False, description="seconds, not 0")

    @model_validator(mode="after")
    def _jumps(self) -> ClockJump:
        if self.jump_s == 0:
            raise ValueError("jump_s is 0; a clock that jumps needs seconds, positive in the future")
        return self


class BrokerRestart(Part):
    """The broker goes down and comes back after down_s."""

    kind: Literal["broker_restart"]
    at_s: _Second
    down_s: _Second = 2.0


class GatewayKill(Part):
    """The gateway is killed without warning and is started again after down_s."""

    kind: Literal["gateway_kill"]
    at_s: _Second
    down_s: _Second = 2.0


ProcessFault = BrokerRestart | GatewayKill
FaultPart = Annotated[
    Freeze | Black | Move | LinkLost | Truncate | Repeat | ClockJump | BrokerRestart | GatewayKill,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A picture that leaves a camera, and when its clock says that it was taken, in seconds of the run."""

    jpeg: bytes
    captured_s: float


def pose_of(camera: PinholeCamera, faults: Iterable[CameraFault], second: float) -> PinholeCamera:
    """The camera as it really stands; several moves add up. `faults` are those of this camera."""
    moves = [fault for fault in faults if isinstance(fault, Move) and fault.holds_at(second)]
    return replace(
        camera,
        heading_deg=camera.heading_deg + sum(move.pan_deg for move in moves),
        tilt_deg=camera.tilt_deg + sum(move.tilt_deg for move in moves),
    )


class FrameChain:
    """What really leaves one camera; give it every frame in order, it remembers pictures between them.

    faults: those of this camera; loop_s: the scenario begins again after this many seconds
    Capture times are not yet written into the pictures. Who does it from `captured_s` gives the frames of `freeze`
    times of their own, and both frames of `repeat` the same.
    """

    def __init__(self, faults: Sequence[CameraFault], *, loop_s: float | None = None) -> None:
        self._faults = tuple(faults)
        self._loop_s = loop_s
        self._last: bytes | None = None
        self._black: bytes | None = None
        self._backlog: deque[Outgoing] = deque(maxlen=MAX_BACKLOG_FRAMES)

    def send(self, second: float, picture: Callable[[], bytes]) -> list[Outgoing]:
        """What leaves the camera at this frame: nothing, one picture or more, oldest first.

        second:  of the run; picture: draws the frame as JPEG, called only when it is needed
        """
        moment = second if self._loop_s is None else second % self._loop_s
        active = [fault for fault in self._faults if fault.holds_at(moment)]
        kinds = {type(fault) for fault in active}
        jpeg = self._encoded(kinds, picture)
        if Truncate in kinds:
            jpeg = truncated(jpeg)
        jump_s = sum(fault.jump_s for fault in active if isinstance(fault, ClockJump))
        taken = [Outgoing(jpeg, second + jump_s)] * (2 if Repeat in kinds else 1)
        return self._transmitted(taken, [fault for fault in active if isinstance(fault, LinkLost)])

    def _encoded(self, kinds: set[type[CameraFault]], picture: Callable[[], bytes]) -> bytes:
        if Freeze in kinds and self._last is not None:
            return self._last
        if Black in kinds:
            self._black = self._black or black_like(picture())
            self._last = self._black
        else:
            self._last = picture()
        return self._last

    def _transmitted(self, taken: list[Outgoing], lost: list[LinkLost]) -> list[Outgoing]:
        if lost:
            if all(fault.keeps_backlog for fault in lost):
                self._backlog.extend(taken)
            return []
        waiting = [*self._backlog, *taken]
        self._backlog.clear()
        return waiting


def truncated(jpeg: bytes) -> bytes:
    """The picture without its end; the place of the cut belongs to the picture, the same in every run."""
    digest = hashlib.blake2b(jpeg, digest_size=4).digest()
    share = _CUT_FROM + (_CUT_TO - _CUT_FROM) * int.from_bytes(digest, "big") / 2**32
    return jpeg[: int(len(jpeg) * share)]


def black_like(jpeg: bytes) -> bytes:
    """A black JPEG as large as this one; raises ValueError when this is none."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if image is None:
        raise ValueError(f"{len(jpeg)} bytes are no picture; a camera's frames should be JPEGs")
    return bytes(cv2.imencode(".jpg", np.zeros_like(image))[1].tobytes())
