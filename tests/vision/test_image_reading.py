"""Whatever Pillow can read becomes upright RGB; the rest is a mistake that names the file."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import read_image

WIDTH, HEIGHT = 6, 4


def _colours() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Image.fromarray(values)


def _pixels(picture: Image.Image) -> np.ndarray:
    assert picture.mode == "RGB"
    return np.asarray(picture).astype(int)


def _message(caught: pytest.ExceptionInfo[UserError]) -> str:
    text = str(caught.value)
    assert len(text.splitlines()) <= 5
    return text


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    _colours().save(tmp_path / "a.png")

    assert np.array_equal(_pixels(read_image(tmp_path / "a.png")), _pixels(_colours()))


def test_an_open_file_and_a_picture_in_memory(tmp_path: Path) -> None:
    _colours().save(tmp_path / "a.png")
    memory = io.BytesIO((tmp_path / "a.png").read_bytes())
    picture = _colours()

    found = read_image(picture)
    found.putpixel((0, 0), (1, 2, 3))

    assert np.array_equal(_pixels(read_image(memory)), _pixels(_colours()))
    assert np.array_equal(_pixels(picture), _pixels(_colours())), "the given picture is another's"
    assert not memory.closed


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int, tmp_path: Path) -> None:
    upright = _pixels(_colours())
    # How a camera held so stores the picture: the inverses of what the standard asks of readers.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(stored).astype(np.uint8)).save(file, exif=exif)

    assert np.array_equal(_pixels(read_image(file)), upright)


def test_damaged_exif_costs_nothing_but_the_rotation(tmp_path: Path) -> None:
    _colours().save(tmp_path / "a.png", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\0\0")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_image(tmp_path / "a.png").size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "HSV"])
def test_other_modes_are_converted(mode: str) -> None:
    picture = _colours().convert(mode)

    assert np.array_equal(_pixels(read_image(picture)), _pixels(picture.convert("RGB")))


@pytest.mark.parametrize("suffix", ["jpg", "gif", "tiff", "webp", "bmp", "ppm"])
def test_kinds_of_files(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"grey.{suffix}"
    Image.new("RGB", (8, 8), (90, 90, 90)).save(file)

    assert np.abs(_pixels(read_image(file)) - 90).max() <= 2


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "red.jpg")

    red, green, blue = _pixels(read_image(tmp_path / "red.jpg"))[4, 4]
    assert red > 220
    assert max(green, blue) < 40


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa"])
def test_transparent_parts_are_white(mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))

    assert _pixels(read_image(picture.convert(mode)))[0].tolist() == [[0, 0, 0], [255] * 3]


def test_half_transparent_parts_are_mixed_with_white() -> None:
    found = _pixels(read_image(Image.new("RGBA", (1, 1), (100, 0, 200, 51))))

    assert np.abs(found[0, 0] - [255 - 0.2 * 155, 255 - 0.2 * 255, 255 - 0.2 * 55]).max() <= 1


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_a_transparent_colour_is_white(mode: str, tmp_path: Path) -> None:
    picture = Image.new(mode, (2, 1), 0)
    picture.putpixel((1, 0), (40, 40, 40) if mode == "RGB" else 1)
    if mode == "P":
        picture.putpalette([0, 0, 0, 40, 40, 40])
    clear = {"RGB": (40, 40, 40), "L": 1, "P": 1}[mode]
    picture.save(tmp_path / "clear.png", transparency=clear)

    found = _pixels(read_image(tmp_path / "clear.png"))
    assert found[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    Image.fromarray(values).save(tmp_path / "deep.tiff")
    wide = Image.fromarray(values.astype(np.int32))

    for source in (tmp_path / "deep.png", tmp_path / "deep.tiff", wide):
        assert _pixels(read_image(source))[0, :, 1].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    "values", [np.ones((2, 2), dtype=np.float32), np.full((2, 2), -1, dtype=np.int32)]
)
def test_numbers_are_no_colours(values: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"'a\.tiff' holds numbers \(mode [FI]\), not colours"):
        read_image(Image.fromarray(values), name="a.tiff")


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"moving.{suffix}"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black", "black")]
    frames[0].save(file, save_all=True, append_images=frames[1:])

    assert _pixels(read_image(file)).min() > 240


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tiff", "webp", "bmp"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_was_cut_short(suffix: str, share: float, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = tmp_path / f"cut.{suffix}"
    Image.fromarray(values).save(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])

    with pytest.raises(UserError) as caught:
        read_image(file)

    assert str(file) in _message(caught)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(content)

    with pytest.raises(UserError, match=r"a\.jpg' is no picture") as caught:
        read_image(tmp_path / "a.jpg")

    assert "give a JPEG, PNG" in _message(caught)


def test_the_given_name_is_used(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'photos\.zip/b\.jpg' is no picture"):
        read_image(io.BytesIO(b"text"), name="photos.zip/b.jpg")


def test_a_missing_file_names_the_closest(tmp_path: Path) -> None:
    _colours().save(tmp_path / "dog.png")

    with pytest.raises(UserError, match="there is no picture") as caught:
        read_image(tmp_path / "dogs.png")

    assert caught.value.closest == str(tmp_path / "dog.png")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_image(tmp_path)


def _claimed_size(side: int) -> bytes:
    """Return a PNG that says it has so many pixels, and holds none."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (b"IHDR" + header, b"IDAT" + zlib.compress(b""), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


@pytest.mark.parametrize("side", [10_001, 13_000, 60_000])
def test_too_many_pixels_are_refused_before_they_are_read(side: int) -> None:
    # Pillow itself warns from 89 million pixels on, and raises from 179 million on.
    with pytest.raises(UserError, match=rf"'big\.png' has {side} x {side}") as caught:
        read_image(io.BytesIO(_claimed_size(side)), name="big.png")

    assert "accepted: 100,000,000 pixels or fewer" in _message(caught)


def test_the_limit_can_be_set() -> None:
    assert read_image(_colours(), max_pixels=WIDTH * HEIGHT).size == (WIDTH, HEIGHT)
    with pytest.raises(UserError, match="pixels"):
        read_image(_colours(), max_pixels=WIDTH * HEIGHT - 1)


def test_pillows_own_limit_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    _colours().save(tmp_path / "a.png")

    assert read_image(tmp_path / "a.png").size == (WIDTH, HEIGHT)
    assert Image.MAX_IMAGE_PIXELS == 3
