from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge.metrics import CaptionScores, TextScores
from seqforge.metrics.text_rows import (
    gathered_rows,
    reference_streams,
    require_new,
    require_scorable,
)
from tests.distributed import launches
from tests.metrics.caption_fixtures import HYPOTHESES, REFERENCES

SCRIPT = Path(__file__).with_name("score_ranks.py")
COUNT = len(HYPOTHESES)


def test_one_process_has_all_rows_in_the_order_of_their_numbers() -> None:
    assert list(gathered_rows({3: "c", 1: "a", 2: "b"}).items()) == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize(("number", "message"), [(-1, "is a filler"), (4, "is scored twice")])
def test_fillers_and_repetitions_are_refused(number: int, message: str) -> None:
    require_new(3, {4: ""})
    with pytest.raises(ValueError, match=f"sample {number} {message}"):
        require_new(number, {4: ""})


def test_a_tenth_of_the_texts_may_look_split() -> None:
    whole = ["a dog"] * 18
    require_scorable([*whole, "a do@@ g", "▁a ▁dog"])
    with pytest.raises(UserError, match="2 of 19 texts are split into pieces") as raised:
        require_scorable([*whole[1:], "a do@@ g", "▁a ▁dog"])
    assert len(str(raised.value).splitlines()) <= 5


def test_missing_references_leave_a_gap() -> None:
    assert reference_streams([["a", "b"], ["c"], ["d", "e"]]) == [["a", "c", "d"], ["b", None, "e"]]


@pytest.mark.distributed
@pytest.mark.timeout(90)
def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    numbers = list(range(COUNT))
    uneven = [numbers[::-3], sorted({*numbers} - {*numbers[::-3]})]
    shares = [uneven, [[], numbers], [[0, 1, 2], [2, 3]]]
    rows = list(zip(HYPOTHESES, REFERENCES, strict=True))
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "shares.json").write_text(json.dumps(shares), encoding="utf-8")
    launch = [*launches.TORCHRUN, "--nproc-per-node", "2", str(SCRIPT), str(tmp_path)]

    ended = launches.run(launch, tmp_path, launches.environment(tmp_path, "scores"))

    assert ended.code == 0, ended.err[-3000:]
    for scores in (CaptionScores(), TextScores()):
        scores.update(numbers, HYPOTHESES, REFERENCES)
        expected = scores.compute() | {"lines": list(scores.lines)}
        for rank in range(2):
            text = (tmp_path / f"{rank}.json").read_text(encoding="utf-8")
            found = json.loads(text)[type(scores).__name__]
            assert found[:2] == [expected, expected]
            assert "sample 2 is scored twice" in found[2]["error"]
