"""Sentence pairs of the `datasets` library."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.parallel_dataset import ParallelDataset
from seqforge_tasks.translation.parallel.parallel_text import ParallelText
from tests.tasks.translation.corpora import pairs, write

TRAIN, VALIDATION = pairs(40), pairs(10, seed=1)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    datasets.disable_progress_bars()
    named = {}
    for part, rows in (("train", TRAIN), ("validation", VALIDATION)):
        file = tmp_path / f"{part}.jsonl"
        objects = [{"translation": {"en": source, "fr": target}} for source, target in rows]
        file.write_text("".join(json.dumps(row) + "\n" for row in objects), encoding="utf-8")
        named[part] = str(file)
    return named


def _set_up(data: Any) -> Any:
    data.prepare_data()
    data.setup("fit")
    return data


def test_it_is_what_the_files_give(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "texts", "train", TRAIN)
    write(tmp_path / "texts", "validation", VALIDATION)
    options: dict[str, Any] = {"vocabulary": "words", "seed": 1, "cache": str(tmp_path / "cache")}
    ours = _set_up(ParallelDataset("json", "en", "fr", files=files, **options))
    theirs = _set_up(
        ParallelText(str(tmp_path / "texts"), "en", "fr", validation="validation", **options)
    )

    assert ours.spec() == theirs.spec()
    assert ours.notes() == theirs.notes()
    for one, other in zip(ours.train_dataloader(), theirs.train_dataloader(), strict=True):
        assert one.source.tolist() == other.source.tolist()
        assert one.target_texts == other.target_texts


def test_what_cannot_be_read(files: dict[str, str], tmp_path: Path) -> None:
    def mistake(dataset: str = "json", target: str = "fr", **options: Any) -> UserError:
        chosen = {"files": files, "cache": str(tmp_path / "cache"), **options}
        with pytest.raises(UserError) as caught:
            _set_up(ParallelDataset(dataset, "en", target, **chosen))
        assert len(str(caught.value).splitlines()) <= 5
        return caught.value

    assert "row 1 of 'json' has no 'de'" in mistake(target="de").given
    assert "cannot be read" in mistake(validation="dev").given
    assert mistake(validation="dev").where == "data.validation"
    assert mistake(train="train[900:]").where == "data.train"
    assert "name is empty" in mistake(dataset=" ").given
    assert "no folder or file './none'" in mistake(dataset="./none", files=None).given
