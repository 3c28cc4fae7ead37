"""The picture of attention has a row for each target piece and a column for each source piece."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from seqforge_tasks.translation.pictures import LABEL, LARGEST, attention_figure


def labels(figure: Figure) -> tuple[list[str], list[str]]:
    (axes,) = figure.axes
    return (
        [each.get_text() for each in axes.get_xticklabels()],
        [each.get_text() for each in axes.get_yticklabels()],
    )


def drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=20)
    return buffer.getvalue()


def test_labels_and_weights() -> None:
    weights = torch.tensor([[0.1, 0.7, 0.2], [0.6, 0.2, 0.2]])
    figure = attention_figure(("red", "cat", "</s>"), ("chat", "rouge"), weights)
    (image,) = figure.axes[0].get_images()

    assert labels(figure) == (["red", "cat", "</s>"], ["chat", "rouge"])
    assert isinstance(image, AxesImage)
    np.testing.assert_array_equal(np.asarray(image.get_array()), weights.numpy())
    assert image.get_clim() == (0.0, 1.0)
    assert drawn(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "piece", ["$x_{$", "$5", "_^\\frac{", "\t\n\x00", "x" * 300, "", "▁l'été", "%s {}"]
)
def test_any_piece_can_be_drawn(piece: str) -> None:
    figure = attention_figure((piece, "b"), (piece,), torch.tensor([[0.5, 0.5]]))

    assert drawn(figure).startswith(b"\x89PNG")
    assert len(labels(figure)[0][0]) <= LABEL


def test_the_longest_sentences_fit() -> None:
    figure = attention_figure(["a"] * 300, ["b"] * 3, torch.zeros(3, 300))

    assert max(figure.get_size_inches()) < LARGEST + 1
    assert min(float(each.get_fontsize()) for each in figure.axes[0].get_xticklabels()) >= 2
