"""The page says what the pieces say."""

import json
from pathlib import Path
from typing import Any

from benchmarks.peers_page import Account, Results, page, processor, ratios, table, where_we_lose


def _steps(name: str, rates: list[float], step: float = 0.5, peak: float = 900.4) -> dict[str, Any]:
    windows = [{"step": step, "items_per_second": rate, "steps": 3} for rate in rates]
    return {
        "name": name,
        "first_step": 2.0,
        "parameters": 7,
        "versions": {"library": name[-1]},
        "windows": windows,
        "peak": peak,
    }


def _loss(name: str, seconds: float, steps: int, reached: bool = True) -> dict[str, Any]:
    result = {"name": name, "target": 2.4, "reached": reached, "seconds": seconds, "loss": 2.61}
    return result | {"steps": steps}


OWN = _steps("seqforge, as it comes", [200.0, 300.0, 800.0], step=0.25)
FULL = _steps("seqforge, fp32", [50.0, 50.0, 50.0])
PEER = _steps("the peer", [100.0, 50.0, 200.0], peak=1000.4)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios(PEER, OWN) == [2.0, 6.0, 4.0]


def test_the_table_has_what_was_measured() -> None:
    losses = {"the peer": _loss("", 99.6, 40, reached=False), "seqforge, fp32": _loss("", 50.2, 30)}

    lines = table("words", Results([OWN, FULL, PEER], losses)).splitlines()

    assert "| words/s |" in lines[0]
    assert "to a loss of 2.4 nats" in lines[0]
    assert lines[2] == "| seqforge, as it comes | 250 | 300 |  |  | 2.0 | not measured | 900 |"
    assert "| 50 (30) |" in lines[3]
    # The medians of the columns, 100 and 300, would give 3.
    assert lines[4] == (
        "| the peer | 500 | 100 | **4.00** (2.00 to 6.00) | **0.50** (0.25 to 1.00) | 2.0 "
        "| not in 100 (40; 2.61) | 1,000 |"
    )
    assert len({line.count("|") for line in lines}) == 1


def test_where_all_is_better_nothing_is_lost() -> None:
    losses = {OWN["name"]: _loss("", 10.0, 9), "the peer": _loss("", 20.0, 9)}

    assert where_we_lose(Results([OWN, PEER], losses)) == []
    # Nor are we behind a peer that was given up.
    losses["the peer"] = _loss("", 5.0, 3, reached=False)
    assert where_we_lose(Results([OWN, PEER], losses)) == []


def test_all_that_a_peer_does_better_is_told() -> None:
    peer = _steps("the peer", [400.0, 300.0, 1000.0], peak=500.0) | {"first_step": 0.5}
    losses = {OWN["name"]: _loss("", 10.0, 9), "the peer": _loss("", 8.0, 7)}

    (line,) = where_we_lose(Results([OWN, FULL, peer], losses))

    assert line == (
        "the peer: seqforge has 0.80 times its rate; the first step is taken after 2.0 s, "
        "there after 0.5; 900 MiB are taken, there 500; the loss takes 10 s, there 8; "
        "the loss takes 9 steps, there 7."
    )


def test_a_loss_that_only_the_peer_reaches_is_told() -> None:
    losses = {OWN["name"]: _loss("", 10.0, 9, reached=False), "the peer": _loss("", 8.0, 7)}

    (line,) = where_we_lose(Results([OWN, PEER], losses))

    assert line == "the peer: the loss is not reached, there it is."


def test_all_pieces_are_gathered(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "steps.json").write_text(json.dumps([OWN, PEER | {"first_step": 1.0}]))
    loss = json.dumps(_loss("the peer", 8.0, 7))
    (tmp_path / "second" / "loss-the-peer.json").write_text(loss)
    accounts = {name: Account(name, "words", f"What {name} is.") for name in ("first", "second")}

    text = page(tmp_path, accounts | {"third": Account("Third", "words", "")})

    assert text.index("## first") < text.index("What first is.") < text.index("## second")
    assert "Third" not in text
    assert text.count("8 (7)") == 1
    assert "- second, the peer: the first step is taken after 2.0 s, there after 1.0." in text
    assert f"{processor()}, no GPU; library r." in text
