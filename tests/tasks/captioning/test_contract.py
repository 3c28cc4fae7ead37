"""Captioning keeps what every task must keep, by each way of conditioning."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from seqforge.encoders import GRU
from seqforge.testing import TaskCase
from seqforge.testing.task_contract import CHECKS
from seqforge.vision import SmallCNN
from seqforge_tasks.captioning import Captioning, CaptioningOptions, ImageCaptions
from tests.tasks.captioning.photos.albums import album


@pytest.fixture(scope="module", params=["both", "start"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TaskCase:
    folder = album(tmp_path_factory.mktemp("album"), 12, ["train", "train", "val"])
    return TaskCase(
        lambda: Captioning(
            SmallCNN(channels=(4, 8)),
            conditioning=request.param,
            embedding_size=8,
            region_size=8,
            dropout=0.0,
            beam_size=2,
        ),
        lambda: ImageCaptions(
            str(folder), image_size=8, batch_size=8, select=2, cache=str(folder / "cache")
        ),
        partial(GRU, hidden_size=8),
        [Path(folder, "0.png"), folder],
        CaptioningOptions(beam_size=2),
        epochs=2,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_passes(check: Callable[[TaskCase], None], case: TaskCase) -> None:
    check(case)
