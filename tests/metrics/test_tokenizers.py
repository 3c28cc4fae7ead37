from __future__ import annotations

from importlib.machinery import ModuleSpec

import pytest
from sacrebleu import BLEU

from seqforge.errors import UserError
from seqforge.metrics import TOKENIZERS, TextScores, Tokenizer, tokenizer_for, tokenizers


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Packages that seem to be installed."""
    packages: list[str] = []

    def find(name: str) -> ModuleSpec | None:
        return ModuleSpec(name, None) if name in packages else None

    monkeypatch.setattr(tokenizers, "find_spec", find)
    return packages


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", "13a"),
        ("de_AT", "13a"),
        ("zh", "zh"),
        ("zh-Hant-TW", "zh"),
        ("ZH_cn", "zh"),
        ("ja", "char"),
        ("ko", "13a"),
        ("th", "char"),
        ("", "13a"),
    ],
)
@pytest.mark.usefixtures("install")
def test_a_language_has_its_tokenizer(language: str, expected: str) -> None:
    assert tokenizer_for(language) == expected


def test_an_installed_analyser_is_preferred(install: list[str]) -> None:
    install += ["MeCab", "ipadic", "mecab_ko"]

    assert tokenizer_for("ja") == "ja-mecab"
    assert tokenizer_for("ko") == "13a"  # its dictionary is missing


def test_the_library_has_every_tokenizer() -> None:
    assert set(TOKENIZERS) <= set(BLEU.TOKENIZERS)


def test_a_misspelt_tokenizer_names_the_closest() -> None:
    name: Tokenizer = "14a"  # type: ignore[assignment]
    with pytest.raises(UserError) as caught:
        TextScores(name)

    assert caught.value.closest == "13a"
    assert set(caught.value.accepted) == set(TOKENIZERS)


@pytest.mark.usefixtures("install")
def test_a_missing_analyser_says_what_to_install() -> None:
    with pytest.raises(UserError, match="needs the package 'MeCab'") as caught:
        TextScores("ja-mecab")

    assert 'pip install "sacrebleu[ja]"' in caught.value.todo
