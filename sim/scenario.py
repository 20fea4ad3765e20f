"""A scenario file: a street at a place on earth, its cameras and sensors, who does what on it, and what fails."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator

from sim.devices.faults import CameraFault, FaultPart, ProcessFault
from sim.devices.fleet import Fleet
from sim.devices.sensor_tables import SensorError, SensorsPart
from sim.motion.actors import ActorError, ActorPart, TrafficPart
from sim.motion.world import World
from sim.part import Part
from sim.street.body import BodyKind
from sim.street.earth import EarthFrame, UnitGrid
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.referee import Limits
from sim.street.street import Rect, Street
from sim.street.weather import Weather
from sim.validation import first_problem

SCENARIO_FILE = "scenario.toml"
# Of a picture's pixels on a coarse net, this share at least must show the street.
_MIN_STREET_SHARE = 0.15
_NET = (16, 9)
_FAR_M = 120.0
# What a rule of a sensor is made of: where it begins to hold, and where it ends.
_LIMITS = (("raise_above", "clear_below"), ("raise_below", "clear_above"))


class ScenarioError(Exception):
    """A scenario cannot be used: one line with file, key and what would be right."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem


class SitePart(Part):
    """Where the street lies and how the site is called."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z a-z 0-9 _ -")
    lat: float = Field(ge=-85, le=85, description="of the street's origin, WGS 84")
    lng: float = Field(ge=-180, le=180, description="of the street's origin, WGS 84")
    bearing_deg: float = Field(default=0.0, ge=-360, le=360, description="of the street, clockwise from north")
    timezone: str = "Asia/Shanghai"

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is no time zone; it should be a name such as 'Asia/Shanghai'") from error
        return name

    def frame(self) -> EarthFrame:
        """Street metres on earth."""
        return EarthFrame(lat=self.lat, lng=self.lng, bearing_deg=self.bearing_deg)


class GridPart(Part):
    """Square unit grid cells around a middle."""

    prefix: str = Field(pattern=r"^[0-9A-Za-z]{12}$", description="the first 12 characters of every code")
    lat: float = Field(ge=-85, le=85)
    lng: float = Field(ge=-180, le=180)
    cell_m: float = Field(default=100.0, ge=10, le=2000)
    columns: int = Field(ge=1, le=30)
    rows: int = Field(ge=1, le=30)

    def grid(self) -> UnitGrid:
        """The cells."""
        middle = EarthFrame(lat=self.lat, lng=self.lng)
        return UnitGrid(middle=middle, prefix=self.prefix, cell_m=self.cell_m, columns=self.columns, rows=self.rows)


class CameraPart(Part):
    """One camera on a mast; the pinhole's keys are explained in `pinhole.py`.

    vibration_px:  how far the mast's swaying moves the picture, standard deviation
    has_infrared:  switches to infrared at night
    gcp_noise_px:  the surveyor's error in the generated control points, standard deviation
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z a-z 0-9 _ -")
    x_m: float
    y_m: float
    height_m: float = Field(gt=1, le=50)
    heading_deg: float = Field(default=0.0, ge=-360, le=360)
    tilt_deg: float = Field(gt=0, lt=90)
    focal_px: float = Field(gt=0)
    size_px: tuple[Annotated[int, Field(ge=64, le=4096)], Annotated[int, Field(ge=64, le=4096)]]
    k1: float = Field(default=0.0, ge=-0.5, le=0.5)
    k2: float = Field(default=0.0, ge=-0.5, le=0.5)
    frames_per_s: float = Field(default=1.0, gt=0, le=60)
    jpeg_quality: int = Field(default=88, ge=10, le=100)
    vibration_px: float = Field(default=0.0, ge=0, le=20)
    has_infrared: bool = False
    gcp_noise_px: float = Field(default=0.0, ge=0, le=20)

    def pinhole(self) -> PinholeCamera:
        """Its optics and place."""
        names = ("size_px", "focal_px", "height_m", "tilt_deg", "heading_deg", "x_m", "y_m", "k1", "k2")
        return PinholeCamera(**{name: getattr(self, name) for name in names})


class WeatherPart(Part):
    """The weather from a second on."""

    kind: Weather
    from_s: float = Field(default=0.0, ge=0)


class Scenario(Part):
    """All of it.

    begins_at: time at second 0 when it is rendered; a live run begins when it is started
    loop_s:    after this many seconds it begins again; without it, it goes on for ever
    rules, sensor_rules: tables that go into the generated site.toml as they are
    """

    seed: int = Field(ge=0)
    begins_at: AwareDatetime = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    loop_s: float | None = Field(default=None, gt=1)
    site: SitePart
    grid: GridPart
    street: StreetPart
    rules: dict[str, dict[str, float]] = Field(default={})
    sensor_rules: dict[str, dict[str, float | str]] = Field(default={})
    weather: tuple[WeatherPart, ...] = ()
    cameras: tuple[CameraPart, ...] = ()
    traffic: TrafficPart = TrafficPart()
    actors: tuple[ActorPart, ...] = ()
    sensors: SensorsPart = SensorsPart()
    faults: tuple[FaultPart, ...] = ()

    @field_validator("weather")
    @classmethod
    def _in_order(cls, weather: tuple[WeatherPart, ...]) -> tuple[WeatherPart, ...]:
        seconds = [part.from_s for part in weather]
        if seconds != sorted(seconds):
            raise ValueError(f"from_s must rise from table to table (found {seconds})")
        return weather

    @field_validator("sensor_rules")
    @classmethod
    def _are_whole(cls, rules: dict[str, dict[str, float | str]]) -> dict[str, dict[str, float | str]]:
        for name, rule in rules.items():
            limits = next((pair for pair in _LIMITS if pair[0] in rule), _LIMITS[0])
            if not isinstance(rule.get("kind"), str) or not all(isinstance(rule.get(key), float) for key in limits):
                raise ValueError(f"{name} needs a kind, and numbers for {' and '.join(limits)}")
        return rules

    @model_validator(mode="after")
    def _names_are_known(self) -> Scenario:
        known = [camera.id for camera in self.cameras]
        twin = next((name for name, count in Counter(known).items() if count > 1), None)
        if twin is not None:
            raise ValueError(f"cameras: two are called {twin!r}; give each its own id")
        for number, fault in enumerate(self.faults):
            if isinstance(fault, CameraFault) and fault.camera not in known:
                raise ValueError(f"faults[{number}].camera: {fault.camera!r} is none of {', '.join(known) or 'none'}")
        return self

    def limits(self) -> Limits:
        """The rules' limits as the truth needs them; the defaults are those of site.toml."""

        def value(rule: str, key: str, default: float) -> float:
            return float(self.rules.get(rule, {}).get(key, default))

        usual = Limits()
        return Limits(
            parking_s=value("illegal_parking", "min_dwell_s", usual.parking_s),
            garbage_s=value("exposed_garbage", "min_dwell_s", usual.garbage_s),
            blocked_s=value("blocked_sidewalk", "min_dwell_s", usual.blocked_s),
            merge_m=value("exposed_garbage", "merge_m", usual.merge_m),
            blockade_m=value("blocked_sidewalk", "merge_m", usual.blockade_m),
            min_clear_m=value("blocked_sidewalk", "min_clear_m", usual.min_clear_m),
        )

    def moment(self, second: float) -> float:
        """Second of the round that a second of the run falls into."""
        return second if self.loop_s is None else second % self.loop_s

    def weather_at(self, second: float) -> Weather:
        """The weather at a second of the run."""
        begun = [part.kind for part in self.weather if part.from_s <= self.moment(second)]
        return begun[-1] if begun else Weather.DAY

    def zone(self) -> ZoneInfo:
        """The time zone of the site."""
        return ZoneInfo(self.site.timezone)

    def faults_of(self, camera_id: str) -> tuple[CameraFault, ...]:
        """The faults of one camera."""
        return tuple(fault for fault in self.faults if isinstance(fault, CameraFault) and fault.camera == camera_id)

    def process_faults(self) -> tuple[ProcessFault, ...]:
        """The faults of broker and gateway; who runs those processes acts on them."""
        return tuple(fault for fault in self.faults if isinstance(fault, ProcessFault))

    def built_street(self) -> Street:
        """The street that its table describes."""
        return build_street(self.street, seed=self.seed)

    def built_world(self) -> World:
        """Everybody on the street; raises ActorError for one that cannot do what its table says."""
        return World(self.built_street(), self.actors, self.traffic, seed=self.seed, loop_s=self.loop_s)

    def built_fleet(self) -> Fleet:
        """Its sensors; raises SensorError."""
        return Fleet(self.sensors, self._sensors_area(), seed=self.seed, loop_s=self.loop_s)

    def _sensors_area(self) -> Rect:
        """The largest rectangle of the grid's shape that stands along the street and within the grid."""
        half_x, half_y = self.grid.columns * self.grid.cell_m / 2, self.grid.rows * self.grid.cell_m / 2
        turn = math.radians(self.site.bearing_deg)
        across, along = abs(math.cos(turn)), abs(math.sin(turn))
        share = 0.98 * min(half_x / (half_x * across + half_y * along), half_y / (half_x * along + half_y * across))
        middle = self.site.frame().to_local(np.array([(self.grid.lat, self.grid.lng)]))[0]
        return Rect(
            x0=float(middle[0] - share * half_x),
            y0=float(middle[1] - share * half_y),
            x1=float(middle[0] + share * half_x),
            y1=float(middle[1] + share * half_y),
        )


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file, or the scenario.toml of a folder; raises ScenarioError, one line."""
    file = path / SCENARIO_FILE if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(str(file), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(str(file), "", f"is no UTF-8 text: {error.reason} at byte {error.start}") from error
    return parse_scenario(text, file=str(file))


def parse_scenario(text: str, *, file: str = SCENARIO_FILE) -> Scenario:
    """A scenario from its text; raises ScenarioError, one line with file and key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(file, "", f"not TOML: {error}") from error
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise ScenarioError(file, *first_problem(error, Scenario, data)) from error
    check_scenario(scenario, file=file)
    return scenario


def check_scenario(scenario: Scenario, *, file: str) -> None:
    """Raise ScenarioError unless everybody finds a way and sensors, rules and cameras fit the street."""
    try:
        scenario.built_world()
        fleet = scenario.built_fleet()
    except ActorError as error:
        raise ScenarioError(file, f"actors.{error.actor_id}.{error.key}", error.problem) from error
    except SensorError as error:
        raise ScenarioError(file, error.key, error.problem) from error
    _refuse_unknown_rules(file, scenario, fleet)
    street = scenario.built_street()
    for number, camera in enumerate(scenario.cameras):
        _refuse_blind(file, number, camera, street)


def _refuse_unknown_rules(file: str, scenario: Scenario, fleet: Fleet) -> None:
    bins = {actor.id for actor in scenario.actors if actor.kind is BodyKind.BIN}
    for sensor in fleet.sensors:
        if sensor.rule is not None and sensor.rule not in scenario.sensor_rules:
            known = ", ".join(scenario.sensor_rules) or "none"
            raise ScenarioError(
                file, f"sensors ({sensor.id}).rule", f"{sensor.rule!r} is no sensor_rules table: {known}"
            )
        if sensor.follows is not None and sensor.follows not in bins:
            raise ScenarioError(file, f"sensors ({sensor.id}).follows", f"there is no bin {sensor.follows!r}")


def _refuse_blind(file: str, number: int, camera: CameraPart, street: Street) -> None:
    width, height = camera.size_px
    net = np.stack(np.meshgrid(np.linspace(0, width, _NET[0]), np.linspace(0, height, _NET[1])), -1).reshape(-1, 2)
    share = np.mean(on_street(camera.pinhole().ground_under(net), street, camera))
    if share < _MIN_STREET_SHARE:
        raise ScenarioError(
            file,
            f"cameras.{number} ({camera.id})",
            f"sees no street: {share:.0%} of its picture shows carriageway or sidewalk; "
            "turn it with heading_deg and tilt_deg, or move it",
        )


def on_street(ground_m: np.ndarray[Any, Any], street: Street, camera: CameraPart) -> np.ndarray[Any, Any]:
    """(N,) bool: which ground points (N, 2) lie on carriageway or sidewalks, not further than the eye reaches."""
    x_m, y_m = ground_m.T
    left, right = street.sidewalk_left_x_m[0], street.sidewalk_right_x_m[1]
    distance_m = np.hypot(x_m - camera.x_m, y_m - camera.y_m)
    is_inside = (x_m >= left) & (x_m <= right) & (y_m >= street.y_m[0]) & (y_m <= street.y_m[1])
    return np.asarray(is_inside & (distance_m < _FAR_M), bool)
