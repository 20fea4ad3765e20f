"""The scenarios are true, the baselines do what their sources say, and street721 is right where it must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.incidents.actors import parks
from bench.incidents.boxes import visible_boxes
from bench.incidents.catalogue import catalogue
from bench.incidents.delivery import play
from bench.incidents.frame_count_loiter import norfair_distance
from bench.incidents.run import as_json, as_text, bench_incidents, total_of, write_folders
from bench.incidents.scenario import Delivery, Noise
from bench.incidents.site_files import built_site
from bench.incidents.track_id_timer import track_id_timer
from bench.incidents.truth import due_second, silences_of
from bench.incidents.usual import CAR, KERB_M, SIX_M, TRAFFIC, scenario
from geofence.adapters.site_folder import load_site
from geofence.recorded import judge_lines
from sim.scoring.scoring_input import parse_truth

SCENARIOS = {one.name: one for one in catalogue()}
QUIET = Noise(missed=0, jitter=0)


def test_there_are_forty_scenarios_and_more_and_each_has_a_name_of_its_own() -> None:
    assert len(SCENARIOS) == len(catalogue()) >= 40


def test_a_box_without_noise_is_where_a_camera_of_plain_trigonometry_sees_the_body() -> None:
    body = CAR.at(60.0)
    assert body is not None
    (seen,) = visible_boxes(SIX_M, [body])
    tilt, heading = np.radians(SIX_M.tilt_deg), np.radians(SIX_M.heading_deg)
    corners_px = []
    for across in (-body.width_m / 2, body.width_m / 2):
        for along in (-body.length_m / 2, body.length_m / 2):
            for up_m in (0.0, body.height_m):
                east, north = body.x_m + across - SIX_M.x_m, body.y_m + along - SIX_M.y_m
                right = east * np.cos(heading) - north * np.sin(heading)
                ahead = east * np.sin(heading) + north * np.cos(heading)
                below = SIX_M.height_m - up_m
                depth = ahead * np.cos(tilt) + below * np.sin(tilt)
                down = below * np.cos(tilt) - ahead * np.sin(tilt)
                corners_px.append((480 + 850 * right / depth, 270 + 850 * down / depth))
    corners = np.array(corners_px)
    assert seen.xyxy == pytest.approx((*corners.min(axis=0), *corners.max(axis=0)), abs=0.5)


def test_the_limit_waits_while_nobody_looks() -> None:
    silences_s = silences_of([0.0, 10.0, 100.0, 110.0], longer_than_s=60.0)
    assert silences_s == [(10.0, 100.0)]
    assert due_second(5.0, 60.0, silences_s) == 155.0
    assert due_second(120.0, 60.0, silences_s) == 180.0


def test_the_truth_of_a_parked_car_is_its_stay() -> None:
    (truth,) = play(scenario("plain", "a car", CAR)).truths
    begins_at = scenario("plain", "a car", CAR).begins_at
    assert truth.began_at - begins_at == timedelta(seconds=20)
    assert truth.due_at is not None
    assert truth.due_at - begins_at == timedelta(seconds=80)
    assert truth.ended_at is not None
    assert truth.ended_at - begins_at == timedelta(seconds=200)


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    first, again, other = (catalogue(seed)[0] for seed in (0, 0, 1))
    assert play(first).lines == play(again).lines
    assert play(first).lines != play(other).lines


def test_a_track_timer_is_right_about_a_car_that_nothing_disturbs_and_tells_twice_of_one_whose_id_changes() -> None:
    calm = scenario("calm", "a car", CAR, noise=QUIET)
    assert len(track_id_timer(play(calm), built_site(calm))) == 1
    switched = replace(calm, id_switches=(100.0,))
    assert len(track_id_timer(play(switched), built_site(switched))) == 2


def test_norfair_measures_by_the_size_of_the_tracked_box() -> None:
    assert norfair_distance((10.0, 0.0, 30.0, 40.0), (0.0, 0.0, 20.0, 40.0)) == pytest.approx(0.5)


def test_street721_is_right_where_the_timers_are_not() -> None:
    outcomes = bench_incidents(["missed-40", "hand-over-10", "leaves-1.3", "clock-1970"])
    ours = total_of(outcomes, "street721")
    assert (ours.f1, ours.reports_per_incident, ours.wrong_cells) == (1.0, 1.0, 0)
    assert (total_of(outcomes, "track-id timer").in_time_share or 0.0) < 0.75 < (ours.in_time_share or 0.0)
    assert (total_of(outcomes, "frame-count loiter").in_time_share or 0.0) < 0.75 < (ours.in_time_share or 0.0)
    assert as_text(outcomes).count("\n") >= 9
    assert as_json(outcomes)["all"]["street721"]["f1"] == 1.0


def test_a_street_without_things_that_stand_has_nothing_to_tell() -> None:
    empty = scenario("empty", "traffic alone", *TRAFFIC, seconds=120)
    assert play(empty).truths == ()
    assert list(judge_lines(built_site(empty), play(empty).lines)) == []


def test_nobody_knows_when_a_car_came_while_the_camera_was_silent() -> None:
    lost = scenario(
        "lost", "", parks("car", KERB_M, 16, 150, 290), seconds=340, delivery=Delivery(fps=2, silent=((50, 170),))
    )
    (truth,) = play(lost).truths
    assert (truth.began_at - lost.begins_at).total_seconds() == 170
    assert truth.due_at is not None
    assert (truth.due_at - lost.begins_at).total_seconds() == 230


def test_a_written_folder_is_a_site_with_frames_and_truth(tmp_path: Path) -> None:
    write_folders(tmp_path, ["over"])
    site = load_site(tmp_path / "over")
    frames = (tmp_path / "over" / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    truth = parse_truth((tmp_path / "over" / "truth.jsonl").read_text(encoding="utf-8").splitlines())
    assert [one.kind for one in truth if one.due_at] == ["illegal_parking"]
    assert len(list(judge_lines(site, frames))) >= 2


def test_an_unknown_scenario_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(BenchError, match=r"no scenario nix; there are missed-10, "):
        bench_incidents(["nix"])
