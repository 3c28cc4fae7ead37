"""Previews show a dozen photos of a batch, each once."""

from typing import Any

import pytest
from matplotlib.figure import Figure as MatplotlibFigure

from seqforge.task import Figure, Table, Text
from seqforge_tasks.captioning.previews import SHOWN, previews
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.task import Captioning
from tests.tasks.captioning.networks import batch, pictures, sentences, task, text

OPTIONS = CaptioningOptions()


@pytest.fixture(scope="module")
def made() -> Captioning:
    return task()


def sheet_of(shown: list[Any]) -> MatplotlibFigure:
    (sheet,) = [each.figure for each in shown if isinstance(each, Figure)]
    assert isinstance(sheet, MatplotlibFigure)
    return sheet


def texts(figure: MatplotlibFigure) -> str:
    return " ".join(each.get_text() for each in figure.texts)


@pytest.mark.parametrize("count", [1, 2, 12, 40])
def test_photos_are_spread_over_the_batch(made: Captioning, count: int) -> None:
    captions = sentences(count, 6, 6)
    one = batch(captions, evaluated=True)
    shown = previews(made.captioner, one, OPTIONS, ["CIDEr-D 50.0", "of 4 photos"])
    sheet = sheet_of(shown)
    first = 0 if count <= SHOWN else 1

    assert len(sheet.axes) == min(SHOWN, count)
    (found,) = made.captioner.caption(pictures(count)[first : first + 1], OPTIONS)
    assert found[0].text in texts(sheet)
    assert text(captions[first]) in texts(sheet)
    (scores,) = [each for each in shown if isinstance(each, Text)]
    assert scores.body == "CIDEr-D 50.0\nof 4 photos"
    assert [each.title for each in shown] == ["captions", "scores"]


def test_a_photo_of_several_captions_is_shown_once(made: Captioning) -> None:
    captions = sentences(5, 3, 3)
    one = batch(captions, places=[1, 1, 0, 2, 1])  # as in training
    shown = previews(made.captioner, one, OPTIONS, [])
    sheet = sheet_of(shown)

    assert len(shown) == 1
    assert len(sheet.axes) == 3
    for row in (0, 2, 3):
        assert text(captions[row]) in texts(sheet)


def test_without_pictures_there_is_a_table(made: Captioning) -> None:
    one = batch(sentences(3), places=[0, 1, 1])
    assert one.pictures is not None
    found = made.captioner.caption(one.pictures, OPTIONS)
    one.features, one.pictures = made.network.features(one.pictures), None
    (table,) = previews(made.captioner, one, OPTIONS, [])

    assert isinstance(table, Table)
    assert list(table.columns) == ["file", "reference", "caption"]
    assert [list(row) for row in table.rows] == [
        ["0.png", text(sentences(3)[0]), found[0][0].text],
        ["1.png", text(sentences(3)[1]), found[1][0].text],
    ]
