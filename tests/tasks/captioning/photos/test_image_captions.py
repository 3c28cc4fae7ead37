"""Photos with captions from a user's own files."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import ImageTransform, read_image
from tests.tasks.captioning.photos.albums import (
    album,
    captions,
    opened,
    pack,
    parts_of,
    picture,
    rows,
    write_lines,
    write_pictures,
)

SPLITS = ("train", "train", "train", "val", "test")
DIVIDED = {
    "train": [f"{number}.png" for number in range(20) if number % 5 < 3],
    "validation": [f"{number}.png" for number in range(3, 20, 5)],
    "test": [f"{number}.png" for number in range(4, 20, 5)],
}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_folder_is_read_by_its_splits(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    data = opened(folder, cache)

    assert parts_of(data) == DIVIDED
    photos = data.photos("test")
    assert photos.captions[1] == tuple(captions(9))
    assert torch.equal(photos.picture(1), ImageTransform(8)(read_image(folder / "9.png")))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_may_be_in_an_archive_in_the_folder(
    tmp_path: Path, cache: Path, method: int
) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    before = opened(folder, cache).photos("train")
    pictures = [before.picture(number) for number in range(len(before))]
    pack(folder, folder / "pictures.zip", method)
    data = opened(folder, cache)

    assert parts_of(data) == DIVIDED
    after = data.photos("train")
    assert after.keys == before.keys
    assert all(torch.equal(after.picture(n), each) for n, each in enumerate(pictures))


def test_all_may_be_in_an_archive(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    archive = Path(shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path, "album"))
    shutil.rmtree(folder)

    assert parts_of(opened(archive, cache)) == DIVIDED


def test_captions_may_lie_beside_the_archive(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    pack(folder, folder / "pictures.zip")

    assert parts_of(opened(folder / "pictures.zip", cache)) == DIVIDED


def test_pictures_may_lie_elsewhere(tmp_path: Path, cache: Path) -> None:
    write_pictures(tmp_path / "pictures" / "deep", range(20))
    write_lines(tmp_path / "texts" / "mine.jsonl", rows(20, SPLITS))
    data = opened(tmp_path / "texts" / "mine.jsonl", cache, pictures=str(tmp_path / "pictures"))

    assert parts_of(data) == DIVIDED


def test_without_splits_photos_are_kept_by_their_content(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 30)
    usual = parts_of(opened(folder, cache, select=5, report=4))
    write_lines(folder / "captions.jsonl", rows(30)[::-1])
    backwards = parts_of(opened(folder, cache, select=5, report=4))
    for number in range(30):
        (folder / f"{number}.png").rename(folder / f"renamed-{number}.png")
    renamed_rows = [each | {"file": f"renamed-{each['file']}"} for each in rows(30)]
    write_lines(folder / "captions.jsonl", renamed_rows)
    renamed = parts_of(opened(folder, cache, select=5, report=4, seed=9))

    assert {part: len(names) for part, names in usual.items()} == {
        "train": 21,
        "validation": 5,
        "test": 4,
    }
    for part, names in usual.items():
        assert set(backwards[part]) == set(names)
        assert {name.removeprefix("renamed-") for name in renamed[part]} == set(names)


def test_photos_for_selection_leave_training(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, ("train", "train", "val"))
    data = opened(folder, cache, select=0.25, report="val")
    parts = parts_of(data)

    assert len(parts["validation"]) == round(0.25 * 14)
    assert all(int(name.removesuffix(".png")) % 3 == 2 for name in parts["test"])
    assert not set(parts["validation"]) & set(parts["train"])
    assert not [line for line in data.notes() if line.startswith("not used")]


def test_splits_that_are_not_used_are_noted(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    (folder / "3.png").unlink()  # of val: nobody needs it

    data = opened(folder, cache, select=2)

    assert "not used: 4 photos, val" in data.notes()


def test_copies_over_splits_leave_training_and_are_noted(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    (folder / "0.png").write_bytes(picture(4))  # a training photo is one of the test
    (folder / "5.png").write_bytes(picture(3))  # and another one of validation

    data = opened(folder, cache)

    assert parts_of(data)["train"] == [
        name for name in DIVIDED["train"] if name not in ("0.png", "5.png")
    ]
    assert "left out: 2 photos whose picture is in another part too" in data.notes()


def test_captions_of_a_photo_in_several_rows_stay_together(tmp_path: Path, cache: Path) -> None:
    write_pictures(tmp_path / "album", range(12))
    single = [
        {"image": f"{number}.png", "text": caption}
        for number in range(12)
        for caption in captions(number)
    ]
    write_lines(
        tmp_path / "album" / "metadata.jsonl", sorted(single, key=lambda each: each["text"])
    )
    data = opened(tmp_path / "album", cache, select=2, report=2)

    for part in ("train", "validation", "test"):
        photos = data.photos(part)
        for name, written in zip(photos.names, photos.captions, strict=True):
            assert set(written) == set(captions(int(name.removesuffix(".png"))))


def test_a_photo_that_is_named_in_two_splits_is_not_trained_on(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    extra = {"file": "4.png", "captions": ["A leak."], "split": "train"}
    write_lines(folder / "captions.jsonl", [*rows(20, SPLITS), extra])

    data = opened(folder, cache)

    assert parts_of(data) == DIVIDED
    assert "A leak." not in data.photos("test").captions[0]


def test_damaged_pictures_are_named(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    whole = picture(1, "jpg")
    (folder / "1.png").write_bytes(whole[: len(whole) // 2])

    for _ in range(2):  # the second time from the cache
        with pytest.raises(UserError) as raised:
            opened(folder, cache)
        assert str(folder / "1.png") in str(raised.value)
        assert raised.value.where == "data.path"
        assert len(str(raised.value).splitlines()) <= 5


def test_a_picture_that_was_mended_is_read_again(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    (folder / "1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"1\.png"):
        opened(folder, cache)
    (folder / "1.png").write_bytes(picture(1))

    assert parts_of(opened(folder, cache)) == DIVIDED


def test_what_is_skipped_is_counted(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    changed = rows(20, SPLITS)
    changed[0]["captions"] = []
    changed[1]["captions"][0] = " . "
    write_lines(folder / "captions.jsonl", changed)
    (folder / "5.png").unlink()
    (folder / "6.png").write_bytes(b"no picture")
    (folder / "7.png").write_bytes(b"")

    data = opened(folder, cache, on_error="skip")

    left = [name for name in DIVIDED["train"] if name not in ("0.png", "5.png", "6.png", "7.png")]
    assert parts_of(data)["train"] == left
    assert data.photos("train").captions[0] == tuple(captions(1)[1:])
    (note,) = [line for line in data.notes() if line.startswith("skipped")]
    assert "1 photos without captions (first: '0.png')" in note
    assert "1 empty captions (first: '1.png')" in note
    assert "1 pictures that are not there (first: '5.png')" in note
    assert f"2 pictures that cannot be read (first: '{folder / '6.png'}')" in note


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"captions": []}, "has no captions: '0.png'"),
        ({"captions": ["fine", "..."]}, "has a caption without a word: '...'"),
        ({"file": "absent.png"}, "names a picture that is not there: 'absent.png'"),
        ({"split": "trian"}, "is of a split that is not known: 'trian'"),
        ({"split": None}, "names no split, but other photos have one"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, cache: Path, change: dict[str, object], message: str
) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    changed = rows(20, SPLITS)
    changed[0] |= change
    write_lines(folder / "captions.jsonl", changed)

    with pytest.raises(UserError) as raised:
        opened(folder, cache)

    assert message in str(raised.value)
    assert "captions.jsonl', line 1," in str(raised.value)
    assert raised.value.where == "data.path"
    assert len(str(raised.value).splitlines()) <= 5


def test_a_file_without_captions_is_refused(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 3)
    (folder / "captions.jsonl").write_text("\n")

    with pytest.raises(UserError, match="has no captions"):
        opened(folder, cache)


def test_pictures_of_all_kinds_are_converted(tmp_path: Path, cache: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    for number, mode in enumerate(["L", "P", "RGBA", "LA", "1", "I;16"]):
        Image.new(mode, (20, 16)).save(folder / f"{number}.png")
    Image.new("CMYK", (20, 16)).save(folder / "6.png", "JPEG")

    data = opened(folder, cache)

    for part in ("train", "validation", "test"):
        photos = data.photos(part)
        for number in range(len(photos)):
            assert photos.picture(number).shape == (3, 8, 8)


def test_pictures_are_read_once_for_all_runs(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    opened(folder, cache)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a picture was read again")

    monkeypatch.setattr("seqforge_tasks.captioning.photos.file_pictures.read_image", fail)

    assert parts_of(opened(folder, cache)) == DIVIDED
    (kept,) = cache.glob("pictures-*.json")
    kept.write_text("[")  # a damaged one is made anew
    with pytest.raises(AssertionError, match="read again"):
        opened(folder, cache)


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = album(tmp_path / "album", 20, SPLITS)
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match="cannot write what is known of the pictures") as raised:
        opened(folder, tmp_path / "file" / "cache")

    assert raised.value.where == "data.cache"


def test_many_pictures_are_announced(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("seqforge_tasks.captioning.photos.file_pictures.FilePictures.many", 10)
    monkeypatch.setattr(
        "seqforge_tasks.captioning.photos.image_captions.rank_zero_info", said.append
    )
    opened(album(tmp_path / "album", 20, SPLITS), cache)

    assert len(said) == 1
    assert said[0].startswith("reading 20 pictures, once")


def test_kaggles_table_is_read(tmp_path: Path, cache: Path) -> None:
    write_pictures(tmp_path / "album" / "Images", range(12))
    lines = [f'{number}.png,"{text}"' for number in range(12) for text in captions(number)]
    (tmp_path / "album" / "captions.txt").write_text("\n".join(["image,caption", *lines]))

    data = opened(tmp_path / "album", cache, select=2, report=2)

    assert len(data.photos("train")) == 8


def test_flickr8k_is_read_with_its_lists(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "album"
    write_pictures(folder / "Flicker8k_Dataset", range(19))
    lines = [
        f"{number}.png#{place}\t{text}"
        for number in range(20)  # the captions name a picture that there is not, as Flickr8k's do
        for place, text in enumerate(captions(number))
    ]
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
    (folder / "Flickr8k.lemma.token.txt").write_text("another thing")
    for called, numbers in (("train", range(10)), ("dev", range(10, 13)), ("test", range(13, 17))):
        names = "".join(f"{number}.png\n" for number in numbers)
        (folder / f"Flickr_8k.{called}Images.txt").write_text(names)

    data = opened(folder, cache)

    assert {part: len(names) for part, names in parts_of(data).items()} == {
        "train": 10,
        "validation": 3,
        "test": 4,
    }
    assert data.photos("validation").captions[0] == tuple(captions(10))
    assert "not used: 3 photos, not listed" in data.notes()


def test_karpathys_splits_are_read(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "album"
    write_pictures(folder / "pictures" / "train2014", range(10))
    write_pictures(folder / "pictures" / "val2014", range(10))  # as many, by the same names
    images = [
        {
            "filepath": place,
            "filename": f"{number}.png",
            "split": split,
            "sentences": [{"raw": text, "tokens": []} for text in captions(number)],
        }
        for number, split in enumerate(["train"] * 4 + ["restval"] * 2 + ["val"] * 2 + ["test"] * 2)
        for place in ["val2014" if split != "train" else "train2014"]
    ]
    (folder / "dataset_coco.json").write_text(json.dumps({"images": images, "dataset": "coco"}))

    parts = parts_of(opened(folder, cache))

    assert parts["train"] == [
        *(f"train2014/{number}.png" for number in range(4)),
        "val2014/4.png",
        "val2014/5.png",
    ]
    assert parts["test"] == ["val2014/8.png", "val2014/9.png"]


def test_coco_is_read_from_all_its_files(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)
    for split, numbers in (("train", range(8)), ("val", range(8, 12))):
        write_pictures(folder / f"{split}2017", numbers)
        whole = {
            "images": [{"id": 100 + n, "file_name": f"{n}.png"} for n in numbers],
            "annotations": [
                {"image_id": 100 + n, "id": 0, "caption": text}
                for place in range(3)
                for n in numbers
                for text in [captions(n)[place]]
            ],
        }
        file = folder / "annotations" / f"captions_{split}2017.json"
        file.write_text(json.dumps(whole))
    (folder / "annotations" / "instances_val2017.json").write_text("{}")

    data = opened(folder, cache, select=2)

    assert parts_of(data)["test"] == [f"{number}.png" for number in range(8, 12)]
    assert data.photos("test").captions[3] == tuple(captions(11))
    assert len(data.photos("train")) == 6
