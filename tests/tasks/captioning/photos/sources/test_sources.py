"""Captions in every form they are kept in."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.sources.coco_captions import CocoCaptions
from seqforge_tasks.captioning.photos.sources.karpathy_captions import KarpathyCaptions
from seqforge_tasks.captioning.photos.sources.line_captions import LineCaptions
from seqforge_tasks.captioning.photos.sources.record import CaptionSource
from seqforge_tasks.captioning.photos.sources.table_captions import TableCaptions
from seqforge_tasks.captioning.photos.sources.token_captions import TokenCaptions

Read = list[tuple[str, tuple[str, ...], str | None]]


def _read(source: CaptionSource) -> Read:
    return [(each.file, each.captions, each.split) for each in source.records()]


def _refused(source: CaptionSource) -> str:
    with pytest.raises(UserError) as raised:
        list(source.records())
    assert len(str(raised.value).splitlines()) <= 5
    return str(raised.value)


@pytest.mark.parametrize("file", ["file", "file_name", "filename", "image"])
@pytest.mark.parametrize("captions", ["captions", "caption", "text"])
def test_lines_have_the_usual_names(tmp_path: Path, file: str, captions: str) -> None:
    path = tmp_path / "captions.jsonl.gz"
    lines = [
        {file: "a.jpg", captions: ["One.", "Two."], "split": "val", "more": 1},
        {file: "b.jpg", captions: "Three."},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))

    assert _read(LineCaptions(path)) == [
        ("a.jpg", ("One.", "Two."), "val"),
        ("b.jpg", ("Three.",), None),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"picture": "a.jpg", "text": "x"}, "has no column for a picture: there are picture, text"),
        ({"file": "a.jpg", "label": "x"}, "has no column for captions"),
        ({"file": "", "text": "x"}, "names no picture"),
        ({"file": 3, "text": "x"}, "names no picture"),
        ({"file": "a.jpg", "text": None}, "has null where a caption is expected"),
        ({"file": "a.jpg", "captions": ["x", 3]}, "has a value of type int"),
        ({"file": "a.jpg", "text": "x", "split": 1}, "has a split that is no text: 1"),
    ],
)
def test_lines_of_another_kind_are_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text("\n" + json.dumps(row))

    said = _refused(LineCaptions(path))

    assert message in said
    assert "line 2" in said


@pytest.mark.parametrize(("ending", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_tables_have_a_header(tmp_path: Path, ending: str, mark: str) -> None:
    path = tmp_path / f"metadata{ending}"
    path.write_text(
        mark.join(["file_name", "text", "split"])
        + "\n"
        + mark.join(["a.jpg", '"One, ""two""\tand three"', "train"])
        + "\n\n"
        + mark.join(["a.jpg", "Four", ""])
    )

    assert _read(TableCaptions(path)) == [
        ("a.jpg", ('One, "two"\tand three',), "train"),
        ("a.jpg", ("Four",), None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,caption\na.jpg,One, two\n", "line 2, has 3 cells under a header of 2"),
        ("image,caption\na.jpg\n", "line 2, has 1 cells under a header of 2"),
        ('image,caption\na.jpg,"One"x\n', "line 2, is no proper row"),
        ("image,label\na.jpg,One\n", "has no column for captions: there are image, label"),
    ],
)
def test_tables_of_another_kind_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "captions.txt").write_text(text)

    assert message in _refused(TableCaptions(tmp_path / "captions.txt"))


def test_tokens_are_read_with_lists(tmp_path: Path) -> None:
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text("a#1.jpg#0\tOne .\na#1.jpg#1\tTwo .\n\nb.jpg#0\tThree\n")
    (tmp_path / "train.txt").write_text("a#1.jpg\n\n")

    assert _read(TokenCaptions(path)) == [
        ("a#1.jpg", ("One .",), None),
        ("a#1.jpg", ("Two .",), None),
        ("b.jpg", ("Three",), None),
    ]
    splits = [
        each.split for each in TokenCaptions(path, {"train": tmp_path / "train.txt"}).records()
    ]
    assert splits == ["train", "train", "not listed"]


@pytest.mark.parametrize("line", ["a.jpg#0 One", "a.jpg\tOne"])
def test_tokens_of_another_form_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.token").write_text("b.jpg#0\tOne\n" + line)

    assert "line 2, is not of the form" in _refused(TokenCaptions(tmp_path / "a.token"))


KARPATHY = {
    "images": [
        {"filename": "a.jpg", "split": "restval", "sentences": [{"raw": "One."}, {"raw": "Two."}]},
        {"filename": "b.jpg", "filepath": "val2014", "split": "test", "sentences": []},
    ]
}
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
    "annotations": [{"image_id": 7, "caption": "One."}, {"image_id": 7, "caption": "Two."}],
}


def test_karpathys_splits_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps(KARPATHY))

    assert _read(KarpathyCaptions(path)) == [
        ("a.jpg", ("One.", "Two."), "restval"),
        ("val2014/b.jpg", (), "test"),
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [("captions_train2017.json", "train"), ("captions_val2014.json.gz", "val"), ("x.json", None)],
)
def test_cocos_files_are_read(tmp_path: Path, name: str, split: str | None) -> None:
    data = json.dumps(COCO).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    assert _read(CocoCaptions([tmp_path / name])) == [
        ("a.jpg", ("One.", "Two."), split),
        ("b.jpg", (), split),
    ]


@pytest.mark.parametrize(
    ("make", "text", "message"),
    [
        (KarpathyCaptions, "{", "cannot be read as JSON"),
        (KarpathyCaptions, "[]", "holds a list, not an object"),
        (KarpathyCaptions, json.dumps(COCO), "images[0], has no 'filename'"),
        (KarpathyCaptions, '{"images": [3]}', "images[0], has no 'filename'"),
        (lambda path: CocoCaptions([path]), json.dumps(KARPATHY), "has no 'annotations'"),
        (lambda path: CocoCaptions([path]), '{"annotations": [{}]}', "has no 'image_id'"),
    ],
)
def test_other_json_is_refused(
    tmp_path: Path, make: Callable[[Path], CaptionSource], text: str, message: str
) -> None:
    (tmp_path / "a.json").write_text(text)

    assert message in _refused(make(tmp_path / "a.json"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read as JSON" in _refused(KarpathyCaptions(tmp_path / "none.json"))
