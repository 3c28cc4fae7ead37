from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge.metrics import TextScores, Tokenizer

SACREBLEU = [sys.executable, "-m", "sacrebleu", "-m", "bleu", "chrf", "-w", "10"]

# Right, nearly right, too short, too long, empty, other case, numbers, signs, accents, no spaces.
ROWS: list[tuple[str, str]] = [
    ("Le chat rouge dort dans le jardin.", "Le chat rouge dort dans le jardin."),
    ("Le chien noir mange.", "Le chien noir mange du pain, aujourd'hui."),
    ("il y a un oiseau dans l'arbre", "Il y a un oiseau dans l'arbre !"),
    ("", "Elle n'est pas là."),
    ("La voiture coûte 3,50 euros (environ) euros euros", "La voiture coûte 3,50 euros (environ)."),
    ("Où est-ce qu'il va ? Où ?", "Où est-ce qu'il va ?"),
    ("我喜歡 紅色的貓", "我喜歡紅色的貓。"),
    ("Tout autre chose", "Rien de commun avec cela"),
]


def scored(
    rows: Sequence[tuple[str, Any]], tokenizer: Tokenizer = "13a", lowercase: bool = False
) -> TextScores:
    scores = TextScores(tokenizer, lowercase)
    hypotheses, references = zip(*rows, strict=True)
    scores.update(range(len(rows)), hypotheses, references)
    return scores


def command(folder: Path, rows: Sequence[tuple[str, Any]], *options: str) -> list[dict[str, Any]]:
    """What the `sacrebleu` command says of the dumped texts."""
    hypotheses, references = zip(*rows, strict=True)
    many = [(each,) if isinstance(each, str) else each for each in references]
    files = [folder / "hypotheses", *(folder / f"references-{i}" for i in range(len(many[0])))]
    for file, lines in zip(files, [hypotheses, *zip(*many, strict=True)], strict=True):
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    ended = subprocess.run(
        [*SACREBLEU, *map(str, files[1:]), "-i", str(files[0]), *options],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(
    ("tokenizer", "lowercase", "options"),
    [
        ("13a", False, []),
        ("13a", True, ["-lc", "--chrf-lowercase"]),
        ("none", False, ["-tok", "none", "--force"]),
        ("none", True, ["-tok", "none", "--force", "-lc", "--chrf-lowercase"]),
        ("zh", False, ["-tok", "zh"]),
        ("char", False, ["-tok", "char"]),
        ("intl", False, ["-tok", "intl"]),
    ],
)
def test_the_command_finds_the_same(
    tmp_path: Path, tokenizer: Tokenizer, lowercase: bool, options: list[str]
) -> None:
    bleu, chrf = command(tmp_path, ROWS, *options)
    scores = scored(ROWS, tokenizer, lowercase)

    found = scores.compute()

    assert 5 < found["bleu"] < 95
    assert found["bleu"] == pytest.approx(bleu["score"], abs=1e-9)
    assert found["chrf"] == pytest.approx(chrf["score"], abs=1e-9)
    assert scores.signatures["bleu"] == bleu["signature"]
    assert scores.signatures["chrf"] == chrf["signature"]
    assert ("case:lc" in scores.signatures["bleu"]) is lowercase


def test_the_command_finds_the_same_with_several_references(tmp_path: Path) -> None:
    rows = [(mine, (yours, yours.upper(), "Le chat")) for mine, yours in ROWS]
    bleu, chrf = command(tmp_path, rows)
    scores = scored(rows)

    found = scores.compute()

    assert found["bleu"] == pytest.approx(bleu["score"], abs=1e-9)
    assert found["chrf"] == pytest.approx(chrf["score"], abs=1e-9)
    assert scores.signatures["bleu"] == bleu["signature"]
    assert "nrefs:3" in scores.signatures["exact_match"]


def test_a_text_may_have_fewer_references_than_another() -> None:
    # The same reference again adds nothing, so a missing one counts like a repeated one.
    ragged = [
        (mine, (yours, "Le chat") if number % 2 else yours)
        for number, (mine, yours) in enumerate(ROWS)
    ]
    filled = [
        (mine, (yours, "Le chat") if number % 2 else (yours, yours))
        for number, (mine, yours) in enumerate(ROWS)
    ]
    scores = scored(ragged)

    assert scores.compute() == scored(filled).compute()
    assert "nrefs:var" in scores.signatures["bleu"]


# -- exact match, and texts at the edge ------------------------------------------------------------


@pytest.mark.parametrize(
    ("hypothesis", "references", "lowercase", "expected"),
    [
        ("un chat", "un chat", False, 100.0),
        ("un Chat", "un chat", False, 0.0),
        ("un Chat", "Un chat", True, 100.0),
        ("un chat", ["deux chats", "un chat"], False, 100.0),
        ("un chat.", "un chat", False, 0.0),
        (" un\u00a0 chat\n", "un chat", False, 100.0),
        ("", "un chat", False, 0.0),
    ],
)
def test_an_exact_match_equals_one_reference(
    hypothesis: str, references: Any, lowercase: bool, expected: float
) -> None:
    found = scored([(hypothesis, references)], lowercase=lowercase).compute()

    assert found["exact_match"] == expected


def test_exact_match_is_a_share_of_all_texts() -> None:
    assert scored(ROWS).compute()["exact_match"] == 100 / len(ROWS)


@pytest.mark.parametrize("broken", ["Le chien\nnoir mange.", "Le chien\r\n\n noir\u2028mange."])
def test_a_line_break_in_a_text_is_a_space(tmp_path: Path, broken: str) -> None:
    rows = [ROWS[0], (broken, ROWS[1][1]), *ROWS[2:]]
    bleu, chrf = command(tmp_path, ROWS)

    found = scored(rows).compute()

    assert found["bleu"] == pytest.approx(bleu["score"], abs=1e-9)
    assert found["chrf"] == pytest.approx(chrf["score"], abs=1e-9)


def test_empty_texts_score_nothing() -> None:
    found = scored([("", "un chat"), ("", "deux chats")]).compute()

    assert found == {"bleu": 0.0, "chrf": 0.0, "exact_match": 0.0}


def test_a_perfect_corpus_scores_all() -> None:
    found = scored([(text, text) for _, text in ROWS]).compute()

    assert found == pytest.approx({"bleu": 100.0, "chrf": 100.0, "exact_match": 100.0})


def test_no_text_at_all_is_said() -> None:
    with pytest.raises(UserError, match="no text to score"):
        TextScores().compute()


@pytest.mark.parametrize("piece", ["Le ch@@ at rouge", "▁Le ▁ch at ▁rouge", "le cha@@"])
def test_pieces_are_refused(piece: str) -> None:
    with pytest.raises(UserError, match=r"2 of 9 texts are split into pieces, such as '.*(@@|▁)"):
        scored([(piece, "Le chat rouge"), (piece, "Le chat rouge"), *ROWS[:7]]).compute()


def test_a_sign_that_looks_like_a_piece_is_no_mistake() -> None:
    scored([("write to me@@home or to a@b", "x"), *ROWS]).compute()
    scored([("one stray▁ mark", "x"), *ROWS, *ROWS]).compute()


@pytest.mark.parametrize(("tokenizer", "warns"), [("13a", True), ("none", False)])
def test_tokenised_text_is_told_of_where_it_should_not_be(
    caplog: pytest.LogCaptureFixture, tokenizer: Tokenizer, warns: bool
) -> None:
    with caplog.at_level(logging.WARNING, "sacrebleu"):
        scored([("un chat .", "un chat .")] * 150, tokenizer).compute()

    assert ("tokenized period" in caplog.text) is warns


# -- numbers, orders, evaluations ------------------------------------------------------------------


@given(order=st.permutations(range(len(ROWS))), cuts=st.sets(st.integers(1, len(ROWS) - 1)))
@settings(max_examples=30, deadline=None)
def test_order_and_batches_change_nothing(order: list[int], cuts: set[int]) -> None:
    scores = TextScores()
    edges = [0, *sorted(cuts), len(ROWS)]
    for begin, end in pairwise(edges):
        batch = order[begin:end]
        scores.update(batch, [ROWS[i][0] for i in batch], [ROWS[i][1] for i in batch])

    assert scores.compute() == scored(ROWS).compute()


def test_a_reset_begins_anew() -> None:
    scores = scored(ROWS)
    scores.compute()
    scores.reset()
    scores.update([0], ["un chat"], ["un chat"])

    assert scores.compute()["exact_match"] == 100.0
    scores.reset()
    with pytest.raises(UserError, match="no text"):
        scores.compute()


@pytest.mark.parametrize(
    ("ids", "references", "message"),
    [
        ([0, 1, 0], ["a", "b", "c"], "sample 0 is scored twice"),
        ([0, 1, -1], ["a", "b", "c"], "sample -1 is a filler"),
        ([0, 1, 2], ["a", "b", []], "sample 2 has no reference"),
        ([0, 1], ["a", "b"], "zip"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    ids: list[int], references: list[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        TextScores().update(ids, ["a", "b", "c"], references)


def test_the_lines_to_show_have_scores_and_signatures() -> None:
    scores = scored(ROWS)

    found = scores.compute()
    bleu, chrf, exact = scores.lines

    assert bleu.startswith(f"BLEU = {found['bleu']:.2f} ")
    assert "BP = " in bleu
    assert bleu.endswith(f", signature {scores.signatures['bleu']}")
    assert chrf == f"chrF2 = {found['chrf']:.2f}, signature {scores.signatures['chrf']}"
    assert exact == "exact match = 12.50, signature nrefs:1|case:mixed"
