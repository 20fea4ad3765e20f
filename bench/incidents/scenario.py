"""What a scenario is made of: seconds from its beginning, street metres (see `sim/street/street.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zlib import crc32

from bench.incidents.actors import Actor
from sim.street.body import BodyKind
from sim.street.earth import EarthFrame, UnitGrid
from sim.street.pinhole import PinholeCamera

CAMERA_ID = "cam-01"
BEGINS_AT = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A polygon with a legal meaning; `kind` and `hours` as zones.geojson has them."""

    id: str
    kind: str
    corners_m: Corners
    hours: str | None = None


def box(x0: float, y0: float, x1: float, y1: float) -> Corners:
    """The corners of a rectangle, counter-clockwise."""
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


NO_PARKING = Zone(id="kerb", kind="no_parking", corners_m=box(-2.6, 3.0, 0.0, 48.0))
SIDEWALK = Zone(id="walk", kind="sidewalk", corners_m=box(0.2, 3.0, 3.4, 48.0))
STREET = Zone(id="road", kind="street", corners_m=box(-9.0, 3.0, 0.0, 48.0))
ZONES = (NO_PARKING, SIDEWALK, STREET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What goes into site.toml, and what the truth goes by."""

    parking_s: float = 60.0
    garbage_s: float = 60.0
    blocked_s: float = 60.0
    absence_s: float = 15.0
    max_gap_s: float = 60.0
    merge_m: float = 10.0
    blockade_m: float = 15.0
    min_clear_m: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flicker:
    """Something that the detector takes for a thing of `kind` in a share of the frames, always at the same place."""

    kind: BodyKind
    x_m: float
    y_m: float
    share: float
    confidence: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A detector's mistakes.

    missed:       share of sightings without a box; missed_for_s: decided anew so often, 0: in every frame
    jitter:       standard deviation of each side's place, share of the box's size
    confidence:   mean; its standard deviation is 0.06
    false_boxes:  of things that are not there, per frame and anywhere
    glare:        (every, for): so often, for so many seconds, three more of them per frame
    flips:        share of vehicles' boxes that are called car, truck or van by chance
    doubled:      share of things with a second box of less confidence
    """

    missed: float = 0.05
    missed_for_s: float = 0.0
    jitter: float = 0.01
    confidence: float = 0.8
    false_boxes: float = 0.0
    glare: tuple[float, float] | None = None
    flickers: tuple[Flicker, ...] = ()
    flips: float = 0.0
    doubled: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """So many frames from `from_s` on carry a time that is wrong by offset_s."""

    from_s: float
    frames: int
    offset_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """When a camera takes frames, and how they arrive.

    fps:       frames per second; jitter: standard deviation of an interval, share of it
    silent:    [from, until) without a frame
    jumps:     wrong times
    late:      share of frames that arrive up to late_s later than they were taken, others overtaking them
    doubled:   share of frames that arrive twice, the second time up to late_s later
    """

    fps: float = 5.0
    jitter: float = 0.0
    silent: tuple[tuple[float, float], ...] = ()
    jumps: tuple[ClockJump, ...] = ()
    late: float = 0.0
    late_s: float = 5.0
    doubled: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The process dies at at_s; the next one starts from the state saved `lost_frames` before, and gets these again.

    replayed_frames: older frames that come again before those
    """

    at_s: float
    lost_frames: int = 0
    replayed_frames: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A street for some minutes, one camera, one detector.

    says:        what it tries, one line
    id_switches: seconds at which a tracker gives all its tracks new ids
    timezone:    of the site; frames carry their time in it
    seed:        of all its chances, together with its name
    """

    name: str
    says: str
    seconds: float
    actors: tuple[Actor, ...]
    camera: PinholeCamera
    zones: tuple[Zone, ...] = ZONES
    rules: Rules = field(default_factory=Rules)
    noise: Noise = field(default_factory=Noise)
    delivery: Delivery = field(default_factory=Delivery)
    kills: tuple[Kill, ...] = ()
    id_switches: tuple[float, ...] = ()
    begins_at: datetime = BEGINS_AT
    timezone: str = "Asia/Shanghai"
    seed: int = 0
    earth: EarthFrame = field(default_factory=lambda: EarthFrame(lat=39.9153, lng=116.411, bearing_deg=8.0))

    @property
    def chance_key(self) -> int:
        """What its chances are drawn from: the same scenario is always the same."""
        return crc32(f"{self.name} {self.seed}".encode())

    @property
    def grid(self) -> UnitGrid:
        """Cells of 25 m: smaller than a city's, so that a wrong place shows."""
        middle = EarthFrame(lat=self.earth.lat, lng=self.earth.lng)
        return UnitGrid(middle=middle, prefix="110101001001", cell_m=25.0, columns=8, rows=8)
