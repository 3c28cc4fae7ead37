"""The sheet of captioned photos: which are shown, and what is written of them."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.captioning_sheet import Captioned, chosen, cider_each, main, measures

WORDS = ["dog", "cat", "bird", "horse", "boat", "house", "tree", "river"]


def _rows(count: int) -> list[Captioned]:
    """Photo 0 has its reference as caption, photo 1 another's; the others have a part of it."""
    rows = []
    for number in range(count):
        first, second = WORDS[number % 8], WORDS[(3 * number + 1) % 8]
        reference = f"a {first} near the {second} number {number}"
        captions = {0: reference, 1: "nothing of the kind"}
        rows.append(Captioned(f"{number}.png", captions.get(number, f"a {first}"), (reference,)))
    return rows


def _write(rows: list[Captioned], folder: Path) -> Path:
    file = folder / "predictions.jsonl"
    lines = [
        json.dumps({"id": number, "score": -1.0, **row._asdict()})
        for number, row in enumerate(rows)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def _pictures(rows: list[Captioned], folder: Path) -> None:
    folder.mkdir()
    for number, row in enumerate(rows):
        Image.new("RGB", (16, 12), (8 * number, 0, 0)).save(folder / row.file)


def test_the_best_and_the_worst_are_those_that_are_left() -> None:
    shown = chosen([float(number) for number in range(40)])

    left = sorted(set(range(40)) - set(shown["random"]))
    assert {name: len(numbers) for name, numbers in shown.items()} == {
        "random": 12,
        "best": 6,
        "worst": 6,
    }
    assert shown["worst"] == left[:6]
    assert shown["best"] == left[:-7:-1]


def test_no_photo_is_shown_twice_where_there_are_few() -> None:
    shown = chosen([1.0] * 15)

    numbers = [number for each in shown.values() for number in each]
    assert sorted(numbers) == list(range(15))


def test_a_caption_that_is_its_reference_scores_highest() -> None:
    scores = cider_each(_rows(30))

    assert max(range(30), key=scores.__getitem__) == 0
    assert min(range(30), key=scores.__getitem__) == 1


def test_the_table_has_all_measures() -> None:
    lines = measures(_rows(30)).splitlines()

    assert lines[0] == "| 30 photos | % |"
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| CIDEr-D",
        "| BLEU-1",
        "| BLEU-2",
        "| BLEU-3",
        "| BLEU-4",
        "| ROUGE-L",
        "| exact match",
        "| distinct captions",
    ]
    assert "| exact match | 3.3 |" in lines


@pytest.mark.parametrize("packed", [False, True])
def test_the_sheet_is_drawn_from_a_folder_or_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool
) -> None:
    rows = _rows(26)
    photos = tmp_path / "photos"
    _pictures(rows, photos)
    if packed:
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            for row in rows:
                archive.write(photos / row.file, f"inside/{row.file}")
        photos = tmp_path / "photos.zip"

    main([str(_write(rows, tmp_path)), "--photos", str(photos)])

    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1500
        assert sheet.height > 1000
        reds = {*np.asarray(sheet.convert("RGB"))[..., 0].flat}
    assert len({8 * number for number in range(26)} & reds) >= 24
    assert "| BLEU-4 |" in capsys.readouterr().out


def test_a_photo_that_is_not_there_is_named(tmp_path: Path) -> None:
    rows = _rows(26)
    _pictures(rows[:3], tmp_path / "photos")

    with pytest.raises(SystemExit, match="picture that is not there"):
        main([str(_write(rows, tmp_path)), "--photos", str(tmp_path / "photos")])
