"""What is written of captioned pictures, and what is drawn."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seqforge.errors import UserError
from seqforge.task import Source, Text
from seqforge_tasks.captioning.captioner import Captioner
from seqforge_tasks.captioning.input_pictures import read_pictures
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.task import Captioning
from tests.tasks.captioning.networks import task
from tests.tasks.captioning.photos.albums import write_pictures

FILES = ["photos/0.png", "photos/1.png", "photos/2.png"]


@pytest.fixture(scope="module")
def made() -> Captioning:
    return task(sharp=3.0).float()


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("photos"), range(3))


def lines(made: Captioning, sources: Sequence[Source], **options: Any) -> list[str]:
    found = made.infer(sources, CaptioningOptions(**options))
    return [each.body for each in found if isinstance(each, Text)]


def candidates(made: Captioning, **options: Any) -> list[Any]:
    captioner = made.captioner
    pictures = read_pictures([Path("photos")], captioner.medium.transform)
    return list(captioner.stream(pictures, CaptioningOptions(**options)))


def test_a_line_of_file_and_caption(made: Captioning) -> None:
    expected = [each[0].text for each in candidates(made)]

    assert lines(made, [Path("photos")]) == [
        f"{file}\t{caption}" for file, caption in zip(FILES, expected, strict=True)
    ]
    assert lines(made, ["photos/1.png"]) == [f"photos/1.png\t{expected[1]}"]
    assert lines(made, [Path("photos")], batch_size=1) == lines(made, [Path("photos")])


def test_n_best_and_scores(made: Captioning) -> None:
    rows = [row.split("\t") for row in lines(made, [Path("photos")], n_best=2, scores=True)]
    found = [each for both in candidates(made, n_best=2) for each in both]

    assert [row[0] for row in rows] == [file for file in FILES for _ in range(2)]
    for row, each in zip(rows, found, strict=True):
        assert float(row[1]) == pytest.approx(each.score, abs=1e-4)
        assert float(row[2]) == pytest.approx(each.log_prob, abs=1e-4)
        assert row[3] == each.text
    assert float(rows[0][1]) >= float(rows[1][1])


def test_json_lines(made: Captioning) -> None:
    rows = [json.loads(row) for row in lines(made, [Path("photos")], format="jsonl", n_best=2)]
    plain = [json.loads(row) for row in lines(made, [Path("photos")], format="jsonl")]
    found = candidates(made, n_best=2)

    assert [row["file"] for row in rows] == FILES
    assert [list(row) for row in plain] == [
        ["file", "caption", "score", "log_prob", "finished"]
    ] * 3
    for row, short, both in zip(rows, plain, found, strict=True):
        assert [each["caption"] for each in row["captions"]] == [each.text for each in both]
        assert row | {"file": ""} == {"file": "", **row["captions"][0], "captions": row["captions"]}
        assert short["caption"] == row["caption"]
        assert short["score"] == pytest.approx(both[0].score, rel=1e-5)


def test_a_caption_that_was_cut_is_not_finished(made: Captioning) -> None:
    (row,) = lines(made, ["photos/0.png"], format="jsonl", min_length=4, max_length=4)

    assert json.loads(row)["finished"] is False


def test_odd_names_do_not_break_columns(made: Captioning) -> None:
    name = "photos/a\tb\n.png"
    Path("photos/0.png").rename(name)

    (line,) = lines(made, [Path(name)])
    assert line.startswith("photos/a b .png\t")
    assert line.count("\t") == 1
    (row,) = lines(made, [Path(name)], format="jsonl")
    assert json.loads(row)["file"] == name


def test_where_nothing_is_found(made: Captioning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Captioner, "search", lambda self, seen, *rest: [[] for _ in seen.features])

    assert lines(made, ["photos/0.png"]) == ["photos/0.png\t"]
    assert lines(made, ["photos/0.png"], scores=True) == ["photos/0.png\t\t\t"]
    (row,) = lines(made, ["photos/0.png"], format="jsonl", attention="out.png", n_best=2)
    assert json.loads(row)["captions"] == []
    assert json.loads(row)["score"] is None
    assert not Path("out.png").exists()
    assert made.caption(["photos/0.png"]) == [""]


def test_nothing_is_lost_by_a_mistake(made: Captioning) -> None:
    Path("photos/2.png").write_text("no picture")
    found = made.infer([Path("photos")], CaptioningOptions(batch_size=2))
    first, second = next(found), next(found)

    assert isinstance(first, Text)
    assert isinstance(second, Text)
    assert [first.body.split("\t")[0], second.body.split("\t")[0]] == FILES[:2]
    with pytest.raises(UserError, match=r"'photos/2.png' is no picture"):
        next(found)


# -- from Python -------------------------------------------------------------------------------


def test_captions_from_python(made: Captioning) -> None:
    expected = [each[0].text for each in candidates(made)]

    assert made.caption([Path("photos")]) == expected
    assert made.caption(FILES) == expected
    assert made.caption([Image.open(file) for file in FILES]) == expected
    assert made.caption([]) == []
    wide = CaptioningOptions(beam_size=1, max_length=2)
    assert all(len(each.split()) <= 2 for each in made.caption(FILES, wide))
    with pytest.raises(UserError, match="beam_size is 0"):
        made.caption(FILES, CaptioningOptions(beam_size=0))


@pytest.mark.parametrize("given", ["photos/0.png", Path("photos/0.png"), Image.new("RGB", (9, 9))])
def test_a_list_is_needed(made: Captioning, given: Any) -> None:
    with pytest.raises(UserError) as caught:
        made.caption(given)

    assert "one picture, not a list" in str(caught.value)
    assert caught.value.todo == "put it into a list"


# -- attention ---------------------------------------------------------------------------------


def test_pictures_of_attention(made: Captioning) -> None:
    assert lines(made, ["photos/0.png"], attention="one.png") == lines(made, ["photos/0.png"])
    lines(made, [Path("photos")], attention="many.png", batch_size=2)

    assert sorted(each.name for each in Path().glob("*.png")) == [
        "many-1.png",
        "many-2.png",
        "many-3.png",
        "one.png",
    ]
    for file in Path().glob("*.png"):
        assert np.asarray(Image.open(file)).std() > 0
    one, same, other = (
        np.asarray(Image.open(name).resize((90, 90)).convert("RGB")).astype(int)
        for name in ("one.png", "many-1.png", "many-2.png")
    )
    assert abs(one - same).max() <= 2  # as far as rounding goes
    assert abs(one - other).max() > 20


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.text", ["'out.text' is not named as a picture", "accepted: ", "png", "out.png"]),
        ("out", ["'out' is not named as a picture"]),
        ("nowhere/out.png", ["cannot write 'nowhere/out.png': No such file"]),
    ],
)
def test_pictures_that_cannot_be_written(made: Captioning, name: str, said: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        lines(made, ["photos/0.png"], attention=name)

    assert len(str(caught.value).splitlines()) <= 5
    assert caught.value.where == "--attention"
    for part in said:
        assert part in str(caught.value)


def test_a_network_without_attention_draws_none() -> None:
    blind = task(conditioning="start").float()
    assert lines(blind, ["photos/0.png"])
    with pytest.raises(UserError, match="has no attention") as caught:
        lines(blind, ["photos/0.png"], attention="out.png")
    assert "conditioning: both" in caught.value.todo
