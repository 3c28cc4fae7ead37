"""A data set of the `datasets` library as text."""

import json
from pathlib import Path

import datasets
import pytest

from seqforge.data import TokenBatch
from seqforge.errors import UserError
from seqforge_tasks.char_generation import TextDataset, TextFile


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    datasets.disable_progress_bars()
    file = tmp_path / "songs.jsonl"
    rows = [{"lyrics": f"song {number}\nla la la"} for number in range(200)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("streaming", [False, True])
def test_it_is_the_text_that_the_file_itself_gives(
    table: str, tmp_path: Path, streaming: bool
) -> None:
    modules = [
        TextDataset(
            "json", files=table, streaming=streaming, seq_len=9, batch_size=3, cache=str(tmp_path)
        ),
        TextFile(table, seq_len=9, batch_size=3, cache=str(tmp_path)),
    ]
    for module in modules:
        module.prepare_data()
        module.setup("fit")
    assert modules[0].spec() == modules[1].spec()
    for ours, theirs in zip(*(module.train_dataloader() for module in modules), strict=True):
        assert isinstance(ours, TokenBatch)
        assert isinstance(theirs, TokenBatch)
        assert ours.inputs.tolist() == theirs.inputs.tolist()


def test_an_empty_name() -> None:
    with pytest.raises(UserError, match="data set's name is empty") as caught:
        TextDataset("")
    assert caught.value.where == "data.dataset"


def test_a_name_that_does_not_exist(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*args: object, **options: object) -> None:
        raise datasets.exceptions.DatasetNotFoundError("Dataset 'me/songs' doesn't exist")

    monkeypatch.setattr(datasets, "load_dataset", missing)
    module = TextDataset("me/songs", cache=str(tmp_path))
    module.prepare_data()
    monkeypatch.setattr(datasets, "load_dataset", None)  # not asked again
    with pytest.raises(UserError, match="no data set 'me/songs'"):
        module.setup("fit")
