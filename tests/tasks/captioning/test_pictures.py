"""Sheets of photos have room for all texts; light falls where a word looks."""

import io
import itertools
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.transforms import Bbox

from seqforge_tasks.captioning.pictures import DARKEST, SheetEntry, attention_figure, contact_sheet
from tests.tasks.captioning.networks import pictures

LONG = "a man in a very bright yellow jacket rides one of several small horses past the houses " * 4
GRID = (2, 3)


def boxes(figure: Figure) -> list[Bbox]:
    """Return where texts and photos lie, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [each.get_window_extent(renderer) for each in figure.texts]
    return [*texts, *(axes.get_window_extent() for axes in figure.axes)]


def claim_apart(figure: Figure) -> None:
    """Nothing lies over anything else, nor outside the figure."""
    found, whole = boxes(figure), figure.bbox
    for box in found:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    for one, other in itertools.combinations(found, 2):
        # A pixel's width may be shared: letters are rounded to pixels.
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        along = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert across <= 1 or along <= 1, (one, other)


def pixels(axes: Axes) -> np.ndarray:
    (image,) = axes.get_images()
    assert isinstance(image, AxesImage)
    return np.asarray(image.get_array())


def drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(buffer, dpi=20)
    return buffer.getvalue()


def sheet(captions: Sequence[str], references: Sequence[str], columns: int = 4) -> Figure:
    entries = map(SheetEntry, pictures(len(captions)), captions, references)
    return contact_sheet(list(entries), columns)


# -- the contact sheet ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 5, 12])
def test_photos_and_texts_lie_apart(count: int) -> None:
    captions = [LONG[: 25 * number] for number in range(count)]
    figure = sheet(captions, captions[::-1])

    assert len(figure.axes) == count
    claim_apart(figure)
    assert min(float(each.get_fontsize()) for each in figure.texts) >= 9


def test_captions_in_black_and_references_in_grey() -> None:
    figure = sheet(["a dog", "", "x"], ["a hound", "a cat", ""])
    colours = [(each.get_text(), each.get_color()) for each in figure.texts]

    assert colours == [
        ("a dog", "black"),
        ("a hound", "0.45"),
        ("(nothing)", "black"),
        ("a cat", "0.45"),
        ("x", "black"),
    ]
    places = [each.get_position() for each in figure.texts]
    assert places[0][0] == places[1][0] < places[2][0]
    assert places[0][1] > places[1][1]


def test_photos_are_shown_as_they_are() -> None:
    figure = sheet(["a", "b"], ["", ""])

    for axes, photo in zip(figure.axes, pictures(2), strict=True):
        np.testing.assert_allclose(pixels(axes) * 255, photo.permute(1, 2, 0).numpy(), atol=1e-3)


def test_twelve_photos_in_three_rows() -> None:
    figure = sheet(["a"] * 12, ["b"] * 12)
    corners = {tuple(round(each, 3) for each in axes.get_position().p0) for axes in figure.axes}

    assert len({left for left, _ in corners}) == 4
    assert len({low for _, low in corners}) == 3
    assert len(corners) == 12


@pytest.mark.parametrize(
    "text", ["$x_{$", "$5", "_^\\frac{", "\t\n\x00", "一只狗", "x" * 300, "%s {}"]
)
def test_any_text_can_be_drawn(text: str) -> None:
    assert drawn(sheet([text], [text])).startswith(b"\x89PNG")
    figure = attention_figure(pictures(1)[0], [text], torch.ones(1, 6), GRID, text)
    assert drawn(figure).startswith(b"\x89PNG")


# -- attention -----------------------------------------------------------------------------------


def test_a_panel_for_the_photo_and_each_word() -> None:
    words = ["a▁", "man", "▁on", "a", "horse", "s" * 40]
    figure = attention_figure(pictures(1)[0], words, torch.rand(6, 6), GRID, LONG)

    assert len(figure.axes) == 7
    claim_apart(figure)
    shown = [each.get_text() for each in figure.texts]
    assert shown[-6:-1] == ["a", "man", "on", "a", "horse"]
    assert shown[-1].startswith("sss")
    assert shown[-1].endswith("…")


@pytest.mark.parametrize("region", range(6))
def test_light_falls_where_a_word_looks(region: int) -> None:
    photo = torch.full((3, 60, 60), 128, dtype=torch.uint8)
    weights = torch.full((1, 6), 0.02)
    weights[0, region] = 0.9
    figure = attention_figure(photo, ["a"], weights, GRID, "a")
    before, after = (pixels(axes).mean(axis=2) for axes in figure.axes)
    cells = after.reshape(2, 30, 3, 20).mean(axis=(1, 3)).ravel()

    np.testing.assert_allclose(before, 128 / 255, rtol=1e-5)
    assert cells.argmax() == region
    assert after.max() > 128 / 255
    assert cells.min() < 0.5 * 128 / 255
    assert after.min() >= DARKEST * 128 / 255 - 1e-6
    assert after.max() <= 1.0
    assert np.abs(np.diff(after, axis=1)).max() < 0.08  # smooth


def test_a_word_that_looks_everywhere_is_bright_everywhere() -> None:
    photo = pictures(1)[0]
    figure = attention_figure(photo, ["a", "b"], torch.full((2, 6), 1 / 6), GRID, "a b")

    for axes in figure.axes[1:]:
        assert (pixels(axes) >= photo.permute(1, 2, 0).numpy() / 255 - 1e-5).all()


def test_no_words_leave_the_photo() -> None:
    figure = attention_figure(pictures(1)[0], [], torch.zeros(0, 6), GRID, "")

    assert len(figure.axes) == 1
    assert drawn(figure).startswith(b"\x89PNG")
