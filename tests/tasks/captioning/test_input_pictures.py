"""What a user gives becomes pictures, in order, as those of training."""

import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import ImageTransform
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.input_pictures import (
    AHEAD,
    InputPicture,
    find_pictures,
    read_ahead,
    read_pictures,
)
from tests.tasks.captioning.photos.albums import opened, picture, write_lines, write_pictures

TRANSFORM = ImageTransform(8)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(*sources: Any) -> list[str]:
    return [each.name for each in find_pictures(sources)]


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# -- where pictures lie --------------------------------------------------------------------------


def test_files_folders_and_patterns_in_order() -> None:
    write_pictures(Path("photos"), [2, 0, 1])
    write_pictures(Path("photos/inner"), [3])
    for other in ("notes.txt", ".hidden.png", "a.JPG"):
        Path("photos", other).write_bytes(picture(5, "jpg"))

    folder = ["photos/0.png", "photos/1.png", "photos/2.png", "photos/a.JPG"]
    assert names(Path("photos")) == folder
    assert names(Path("photos/*.png")) == folder[:3]
    assert names(Path("photos/**/*.png")) == [*folder[:3], "photos/inner/3.png"]
    assert names(Path("photos/inne?")) == ["photos/inner/3.png"]  # as a shell gives a folder
    assert names("photos/2.png", Path("photos/notes.txt")) == ["photos/2.png", "photos/notes.txt"]


def test_a_name_that_looks_like_a_pattern() -> None:
    Path("a[1].png").write_bytes(picture(1))
    Path("a1.png").write_bytes(picture(2))

    assert names(Path("a[1].png")) == ["a[1].png"]
    Path("a[1].png").unlink()
    assert names(Path("a[1].png")) == ["a1.png"]


def test_archives_are_read_in_place() -> None:
    with zipfile.ZipFile("photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("b/1.png", "a.png", "notes.txt", "__MACOSX/a.png"):
            archive.writestr(name, picture(len(name)))

    found = list(find_pictures([Path("photos.zip")]))
    assert [each.name for each in found] == ["photos.zip/a.png", "photos.zip/b/1.png"]
    expected = Image.open(io.BytesIO(picture(len("b/1.png"))))
    assert list(found[1].read().tobytes()) == list(expected.tobytes())


def test_standard_input_and_pictures_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, picture(3))
    first, second = find_pictures([Path("-"), Image.open(io.BytesIO(picture(3)))])

    assert (first.name, second.name) == ("-", "picture 2")
    assert first.read().tobytes() == second.read().tobytes()


@pytest.mark.skipif(sys.platform != "linux", reason="names there are text")
def test_a_name_of_odd_bytes_can_be_written() -> None:
    Path(os.fsdecode(b"caf\xe9.png")).write_bytes(picture(1))

    (name,) = names(Path())
    assert name.encode() == "caf\ufffd.png".encode()


# -- as in training ------------------------------------------------------------------------------


def _turned(image: Image.Image, file: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(file, exif=exif)


KINDS: dict[str, Callable[[Image.Image, Path], object]] = {
    "plain.png": lambda image, file: image.save(file),
    "turned.jpg": _turned,
    "grey.png": lambda image, file: image.convert("L").save(file),
    "palette.gif": lambda image, file: image.convert("P").save(file),
    "alpha.png": lambda image, file: image.convert("RGBA").resize((9, 31)).save(file),
    "cmyk.jpg": lambda image, file: image.convert("CMYK").save(file),
}


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_the_training_transform_is_the_inference_transform(fit: str) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (23, 40, 3), generator=generator, dtype=torch.uint8)
    image = Image.fromarray(pixels.numpy())
    Path("album").mkdir()
    for name, save in KINDS.items():
        save(image, Path("album", name))
    lines: list[dict[str, Any]] = [
        {"file": name, "captions": ["a thing"], "split": "train"} for name in KINDS
    ]
    write_pictures(Path("album"), [1, 2])
    for number, split in enumerate(("val", "test"), start=1):
        lines.append({"file": f"{number}.png", "captions": ["another"], "split": split})
    write_lines(Path("album/captions.jsonl"), lines)
    data = opened("album", Path("cache"), fit=fit)
    transform = ImageTransform.from_spec(data.spec()["transform"])

    photos = data.photos("train")
    assert sorted(photos.names) == sorted(KINDS)
    files = [Path("album", name) for name in photos.names]
    for number, found in enumerate(read_pictures(files, transform)):
        assert torch.equal(found, photos.picture(number)), photos.names[number]
    (batch,) = data.train_dataloader()
    assert isinstance(batch, CaptionBatch)
    assert batch.pictures is not None
    again = read_pictures([Path("album", name) for name in dict.fromkeys(batch.names)], transform)
    assert torch.equal(batch.pictures, torch.stack(list(again)))


# -- reading ahead -------------------------------------------------------------------------------


def test_few_pictures_are_read_ahead() -> None:
    asked = 0

    def coming() -> Iterable[InputPicture]:
        nonlocal asked
        for number in range(1000):
            asked += 1
            yield InputPicture(str(number), lambda: Image.new("RGB", (1, 1)))

    found = read_ahead(coming(), lambda each: int(each.name))
    assert [next(found) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert asked <= AHEAD + 5
    found.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["missing.png", "text.png"])
def test_what_comes_before_a_mistake_comes_first(wrong: str) -> None:
    write_pictures(Path("photos"), range(3))
    Path("text.png").write_text("no picture")
    found = read_pictures([Path("photos"), Path(wrong), Path("photos")], TRANSFORM)

    assert [next(found).shape for _ in range(3)] == [(3, 8, 8)] * 3
    with pytest.raises(UserError, match=wrong):
        next(found)


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", ["no picture is given", "where: -i", "-i photo.jpg"]),
        ("a red dog", ["there is no picture 'a red dog'", "where: -i", "-i photo.jpg"]),
        ("photos/00.png", ["no picture 'photos/00.png'", "did you mean: photos/0.png"]),
        (Path("empty"), ["the folder 'empty' holds no pictures", "accepted: .avif"]),
        (Path("photos/*.gif"), ["no file fits 'photos/*.gif'"]),
        (Path("photos/notes.txt"), ["'photos/notes.txt' is no picture"]),
        (Path("cut.png"), ["'cut.png'", "cut short"]),
        (Path("bad.zip"), ["'bad.zip' is no zip archive", "where: -i"]),
        (Path("texts.zip"), ["the archive 'texts.zip' holds no pictures"]),
        (Path("broken.zip"), ["broken.zip/a.png' is no picture"]),
        (Path("-"), ["standard input is empty"]),
    ],
)
def test_mistakes(source: Any, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"")
    write_pictures(Path("photos"), [0])
    Path("empty").mkdir()
    for name in ("photos/notes.txt", "bad.zip", "empty/notes.txt"):
        Path(name).write_text("no picture at all")
    Path("cut.png").write_bytes(picture(1)[:-30])
    for archive, name in (("texts.zip", "a.txt"), ("broken.zip", "a.png")):
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr(name, "text")

    with pytest.raises(UserError) as caught:
        list(read_pictures([source], TRANSFORM))
    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    for part in said:
        assert part in " ".join(lines)


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        names(Path())
