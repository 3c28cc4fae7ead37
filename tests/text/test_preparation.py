"""What is done to text before it is encoded."""

import gzip
import sys
from pathlib import Path

import pytest

from seqforge.errors import MissingExtra, UserError
from seqforge.text import Preparation


def test_white_space_and_case() -> None:
    plain = Preparation("fr")

    assert plain.apply("  Un\tchat \r\n dort\u00a0! ") == "Un chat dort\u00a0!"
    assert Preparation("fr", lowercase=True).apply("ÉTÉ") == "été"
    assert plain.undo("Un chat") == "Un chat"


def test_a_spec_rebuilds_it() -> None:
    spec = Preparation("fr", True, "moses").spec()

    assert spec == {"language": "fr", "lowercase": True, "tokenize": "moses"}
    assert Preparation.from_spec(spec | {"vocabulary": None}).spec() == spec


def test_moses_and_back() -> None:
    moses = Preparation("fr", tokenize="moses")

    assert moses.apply("L'été, d'accord.") == "L&apos; été , d&apos; accord ."
    assert moses.undo("L&apos; été , d&apos; accord .") == "L'été, d'accord."
    assert Preparation("en", tokenize="moses").apply("Don't!") == "Don &apos;t !"


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as opened:
        return [line.removesuffix("\n") for line in opened]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_gives_the_published_files(data_root: Path, language: str) -> None:
    preparation = Preparation(language, lowercase=True, tokenize="moses")
    folder = data_root / "multi30k"
    for part, count in (("test_2016_flickr", 1000), ("val", 1014)):
        raw = _lines(folder / f"{part}.{language}.gz")
        published = _lines(folder / f"{part}.lc.norm.tok.{language}.gz")

        assert len(raw) == len(published) == count
        wrong = [
            line
            for line, wanted in zip(raw, published, strict=True)
            if preparation.apply(line).split() != wanted.split()
        ]
        assert wrong == []


def test_a_way_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="called 'Mose'") as caught:
        Preparation("en", tokenize="Mose")  # type: ignore[arg-type]

    assert caught.value.closest == "moses"


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    Preparation("en")
    with pytest.raises(MissingExtra) as caught:
        Preparation("en", tokenize="moses")

    assert "[moses]" in caught.value.todo
