from pathlib import Path
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.translation import EnglishFrench
from seqforge_tasks.translation.parallel.batch import TranslationBatch


def _small(folder: Path, longer: bool = False) -> EnglishFrench:
    data = EnglishFrench(
        pairs=300,
        validation_pairs=40,
        test_pairs=50,
        longer=longer,
        vocabulary_size=300,
        max_tokens=512,
        seed=3,
        cache=str(folder),
    )
    data.prepare_data()
    data.setup("fit")
    return data


def _sources(loader: object) -> list[str]:
    assert hasattr(loader, "__iter__")
    texts: list[str] = []
    for batch in loader:
        assert isinstance(batch, TranslationBatch)
        texts += batch.source_texts
    return texts


def test_the_parts_have_the_sizes_asked_for_and_share_no_sentence(tmp_path: Path) -> None:
    data = _small(tmp_path)
    train = _sources(data.train_dataloader())
    validation = _sources(data.val_dataloader()["validation"])
    test = _sources(data.test_dataloader()["test"])

    assert (len(train), len(validation), len(test)) == (300, 40, 50)
    assert not set(train) & set(validation)
    assert not set(train) & set(test)
    assert not set(validation) & set(test)


def test_the_seed_says_which_sentences(tmp_path: Path) -> None:
    first, again = (_sources(_small(tmp_path).test_dataloader()["test"]) for _ in range(2))

    assert first == again


def test_longer_sentences_are_those_of_the_test_only(tmp_path: Path) -> None:
    data = _small(tmp_path, longer=True)
    trained = max(len(text.split()) for text in _sources(data.train_dataloader()))
    tested = min(len(text.split()) for text in _sources(data.test_dataloader()["test"]))

    assert trained < tested


def test_the_spec_names_both_languages_and_one_vocabulary(tmp_path: Path) -> None:
    spec = _small(tmp_path).spec()

    assert (spec["source"]["language"], spec["target"]["language"]) == ("en", "fr")
    assert spec["target"]["vocabulary"] is None


@pytest.mark.parametrize("name", ["pairs", "validation_pairs", "test_pairs"])
def test_no_pairs_are_refused(name: str) -> None:
    none: dict[str, Any] = {name: 0}
    with pytest.raises(UserError, match="0 pairs") as caught:
        EnglishFrench(**none)

    assert caught.value.where == f"data.{name}"
