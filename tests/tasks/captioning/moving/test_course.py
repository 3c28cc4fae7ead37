"""Objects move as the motion says, and stay in the picture."""

import math

import numpy as np
import pytest

from seqforge_tasks.captioning.moving.course import REACH, TRAVEL, course
from seqforge_tasks.captioning.moving.motion import DIRECTIONS, SPEEDS, Motion
from seqforge_tasks.captioning.scenes.description import Pair

RED = Pair("red", "circle")
SEEDS = range(40)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("speed", SPEEDS)
def test_one_object_moves_in_its_direction_at_its_speed(direction: str, speed: str) -> None:
    right, down = DIRECTIONS[direction]
    for seed in SEEDS:
        places = course(Motion(RED, f"{direction} {speed}"), 6, np.random.default_rng(seed))
        (first,), (last,) = places[0], places[-1]
        along = right * (last.x - first.x) + down * (last.y - first.y)
        across = down * (last.x - first.x) + right * (last.y - first.y)
        low, high = TRAVEL[speed]
        assert low - 1e-9 <= along <= high + 1e-9
        assert abs(across) < low / 2
        steps = np.diff([(each.x, each.y) for (each,) in places], axis=0)
        assert np.allclose(steps, steps[0])  # evenly


def test_speeds_can_be_told_apart() -> None:
    assert TRAVEL["slowly"][1] < TRAVEL["quickly"][0] - 0.1


@pytest.mark.parametrize("how", ["meet", "part"])
def test_two_objects_meet_or_part(how: str) -> None:
    for seed in SEEDS:
        places = course(Motion(RED, how), 6, np.random.default_rng(seed))
        gaps = [math.dist((one.x, one.y), (two.x, two.y)) for one, two in places]
        assert gaps == sorted(gaps, reverse=how == "meet")
        assert max(gaps) - min(gaps) > 0.15
        for one, two in places:
            assert math.dist((one.x, one.y), (two.x, two.y)) > REACH * (one.radius + two.radius)


@pytest.mark.parametrize(
    "motion", [Motion(RED, "left quickly"), Motion(RED, "up slowly"), Motion(RED, "meet")]
)
def test_everything_stays_in_the_picture(motion: Motion) -> None:
    for seed in SEEDS:
        for objects in course(motion, 5, np.random.default_rng(seed)):
            for each in objects:
                reach = REACH * each.radius - 1e-9
                assert reach <= each.x <= 1 - reach
                assert reach <= each.y <= 1 - reach


def test_captions_name_what_moves() -> None:
    assert Motion(RED, "left quickly").caption() == "a red circle moves left quickly"
    assert Motion(Pair("blue", "cross"), "part").caption() == "two blue crosses part"
