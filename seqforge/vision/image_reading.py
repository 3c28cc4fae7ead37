"""Reading pictures: whatever Pillow can convert, as upright RGB; anything else is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from seqforge.errors import UserError, closest_path

MAX_PIXELS = 100_000_000

_opening = threading.Lock()


def read_image(
    source: Path | BinaryIO | Image.Image, *, name: str = "", max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Read a picture as RGB, upright, with 8 bits a channel.

    The rotation that EXIF asks for is applied. Grey, palette, CMYK and 16-bit pictures are
    converted, transparent ones laid over white. Of an animation the first frame is read.

    Args:
        source: A file, an open one, or a picture that is in memory already, which stays as it is.
        name: What messages call the picture; the file's path if not given.
        max_pixels: Pictures of more pixels are refused before their pixels are read.

    Raises:
        UserError: There is no such file; it is no picture, is cut short or damaged, has too many
            pixels, or values that have no agreed meaning as colours.
    """
    if isinstance(source, Image.Image):
        return _converted(source, name or "the picture", max_pixels)
    if not isinstance(source, Path):
        return _read(source, name or str(getattr(source, "name", "the picture")), max_pixels)
    called = name or str(source)
    try:
        with source.open("rb") as file:
            return _read(file, called, max_pixels)
    except FileNotFoundError:
        closest = closest_path(str(source))
        raise UserError(
            f"there is no picture '{called}'", closest=closest, todo="check the path"
        ) from None
    except OSError as error:
        raise UserError(
            f"the picture '{called}' cannot be read: {error.strerror or error}",
            todo="give a picture file that you may read",
        ) from error


def _read(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    try:
        with _no_global_limit():
            picture = Image.open(file)
        with picture:
            return _converted(picture, name, max_pixels)
    except UserError:
        raise
    except UnidentifiedImageError:
        raise UserError(
            f"'{name}' is no picture, or of a kind that Pillow cannot read",
            todo="give a JPEG, PNG, WebP, GIF, TIFF or BMP file",
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(
            f"the picture '{name}' has too many pixels: {error}", todo="scale it down"
        ) from error
    except Exception as error:  # damaged bytes can make decoders raise nearly anything
        raise _damaged(name, error) from error


@contextmanager
def _no_global_limit() -> Iterator[None]:
    """Keep Pillow from judging a size before its reader can: by a warning, which threads share.

    Only the header is read meanwhile, and one thread at a time does it.
    """
    with _opening:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _converted(picture: Image.Image, name: str, max_pixels: int) -> Image.Image:
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise UserError(
            f"the picture '{name}' has {picture.width} x {picture.height} = {pixels:,} pixels",
            accepted=[f"{max_pixels:,} pixels or fewer"],
            todo="scale it down",
        )
    try:
        picture.load()
        return _rgb(_upright(picture), name)
    except UserError:
        raise
    except Exception as error:  # as in _read
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> UserError:
    said = " ".join(str(error).split()) or type(error).__name__
    return UserError(
        f"the picture '{name}' is damaged or cut short: {said}",
        todo="get the file again, or leave it out",
    )


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged notes on the camera take nothing away from the picture
        return picture


def _rgb(picture: Image.Image, name: str) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture.copy()
    if picture.mode == "F" or picture.mode.startswith("I"):
        return _from_numbers(picture, name).convert("RGB")
    if picture.has_transparency_data:
        drawn = picture.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        return Image.alpha_composite(white, drawn).convert("RGB")
    return picture.convert("RGB")


def _from_numbers(picture: Image.Image, name: str) -> Image.Image:
    """Return grey values of 16 bits as such of 8, where Pillow would cut them off at 255."""
    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise UserError(
            f"the picture '{name}' holds numbers (mode {picture.mode}), not colours",
            todo="save it with 8 or 16 bits a channel",
        )
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))
