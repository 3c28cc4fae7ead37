"""Scenes as pictures."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from seqforge_tasks.captioning.scenes import Pair, ScenePart
from seqforge_tasks.captioning.scenes.description import COLOURS, SHAPES
from seqforge_tasks.captioning.scenes.drawing import draw
from seqforge_tasks.captioning.scenes.layout import Placed

LIGHTS = np.linspace(0.75, 1.0, 26)
"""How much darker an object may be than its colour."""


def _picture(shape: str, colour: str = "red", radius: float = 0.3, size: int = 64) -> NDArray:  # type: ignore[type-arg]
    placed = Placed(Pair(colour, shape), 0.5, 0.5, radius, 0.0)
    return np.asarray(draw([placed], size, np.random.default_rng(0)), dtype=int)


def _covered(picture: NDArray) -> NDArray:  # type: ignore[type-arg]
    """Return where a picture is not its ground, which its first pixel shows."""
    different: NDArray = np.abs(picture - picture[0, 0]).sum(axis=2) > 60  # type: ignore[type-arg]
    return different


SPECK = 12
"""Pixels of a tip that is drawn too thin to hang together."""


def _islands(covered: NDArray) -> int:  # type: ignore[type-arg]
    """Count connected areas by flooding them one by one."""
    left = {(int(y), int(x)) for y, x in np.argwhere(covered)}
    count = 0
    while left:
        edge = [left.pop()]
        area = 0
        while edge:
            y, x = edge.pop()
            area += 1
            for place in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if place in left:
                    left.remove(place)
                    edge.append(place)
        count += area > SPECK
    return count


def _areas() -> Iterator[tuple[str, float]]:
    # Of shapes with radius 0.3 in a picture of side 1, from their geometry.
    r = 0.3
    yield "circle", np.pi * (0.9 * r) ** 2
    yield "square", 2 * (1.05 * r) ** 2
    yield "triangle", 3 * np.sqrt(3) / 4 * (1.1 * r) ** 2
    yield "diamond", 2 * 1.1 * 0.68 * r**2
    yield "cross", (4 * 2 * 0.3 * 0.7 + 0.6**2) * r**2
    yield "star", 10 * 0.5 * 1.15 * 0.46 * np.sin(np.pi / 5) * r**2


@pytest.mark.parametrize(("shape", "area"), list(_areas()))
def test_a_shape_covers_its_area(shape: str, area: float) -> None:
    covered = _covered(_picture(shape, size=128)).mean()

    assert covered == pytest.approx(area, rel=0.1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", COLOURS)
def test_the_middle_has_the_named_colour(shape: str, colour: str) -> None:
    middle = _picture(shape, colour)[31:33, 31:33].mean(axis=(0, 1))
    shades = [(name, np.array(rgb) * light) for name, rgb in COLOURS.items() for light in LIGHTS]

    assert min(shades, key=lambda each: float(np.abs(each[1] - middle).sum()))[0] == colour


def test_shapes_differ_from_each_other() -> None:
    pictures = [_covered(_picture(shape)) for shape in SHAPES]

    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert (one != other).mean() > 0.03


def test_edges_are_smooth() -> None:
    # Between ground and outline there are pixels of neither.
    values = _picture("circle", "black").sum(axis=2).ravel()

    assert len({int(value) for value in values}) > 8


def test_as_many_objects_are_seen_as_there_are() -> None:
    part = ScenePart("train", 0)
    for number in range(40):
        picture = np.asarray(part.picture(number, 128), dtype=int)
        assert _islands(_covered(picture)) == len(part.scene(number).objects)


@pytest.mark.parametrize("size", [32, 64, 100])
def test_pictures_have_the_size_asked_for(size: int) -> None:
    assert draw([], size, np.random.default_rng(0)).size == (size, size)
