"""Translation keeps what every task must keep."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from seqforge.encoders import GRU
from seqforge.testing import TaskCase
from seqforge.testing.task_contract import CHECKS
from seqforge_tasks.translation import ParallelText, Translation, TranslationOptions
from tests.tasks.translation.corpora import pairs, write


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> TaskCase:
    folder = tmp_path_factory.mktemp("texts")
    write(folder, "train", pairs(60))
    write(folder, "val", pairs(8, seed=1))
    return TaskCase(
        lambda: Translation(8, beam_size=2, writer=True, scheduled_sampling=0.2),
        lambda: ParallelText(
            str(folder), "en", "fr", vocabulary="words", max_tokens=120, cache=str(folder / "cache")
        ),
        partial(GRU, hidden_size=8),
        ["The red cat.", ""],
        TranslationOptions(beam_size=2),
        epochs=2,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_passes(check: Callable[[TaskCase], None], case: TaskCase) -> None:
    check(case)


def test_the_folder_is_left_as_it_was(case: TaskCase) -> None:
    assert isinstance(case.data, ParallelText)
    assert sorted(file.suffix for file in Path(case.data.path).iterdir() if file.is_file()) == [
        ".en",
        ".en",
        ".fr",
        ".fr",
    ]
