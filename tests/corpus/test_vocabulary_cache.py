"""A vocabulary is trained once for a key."""

from pathlib import Path

import pytest

from seqforge.corpus import kept_vocabulary
from seqforge.errors import UserError
from seqforge.text import SentenceVocabulary, train_words


class _Training:
    def __init__(self, text: str) -> None:
        self.text = text
        self.times = 0

    def __call__(self) -> SentenceVocabulary:
        self.times += 1
        return train_words([self.text])


def test_it_is_trained_once_for_a_key(tmp_path: Path) -> None:
    folder, training = tmp_path / "cache", _Training("b a b")
    made = [kept_vocabulary(folder, "words-en", {"size": 5}, training) for _ in range(2)]

    assert training.times == 1
    assert [each.spec()["words"] for each in made] == [["b", "a"]] * 2
    kept_vocabulary(folder, "words-en", {"size": 6}, training)
    assert training.times == 2
    names = sorted(each.name for each in folder.iterdir())
    assert len(names) == 2
    assert all(name.startswith("words-en-") and name.endswith(".json") for name in names)


@pytest.mark.parametrize("damage", ["", "{", '{"kind": "words"}', '{"kind": "bytes"}', "[]"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    training = _Training("b a b")
    kept_vocabulary(tmp_path, "v", {}, training)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_text(damage, encoding="utf-8")
    kept_vocabulary(tmp_path, "v", {}, training)

    assert training.times == 2
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write the vocabulary") as caught:
        kept_vocabulary(tmp_path / "file", "v", {}, _Training("a"))

    assert caught.value.where == "data.cache"
