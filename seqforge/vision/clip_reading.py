"""Reading clips: the wanted frames of a video, an animation or a series of pictures, upright."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from PIL import Image, ImageSequence, UnidentifiedImageError

from seqforge.errors import UserError, closest_path
from seqforge.vision.frame_sampling import FrameSampling
from seqforge.vision.image_reading import MAX_PIXELS, read_image

ANIMATIONS: Final = (".gif", ".webp", ".apng")
"""What Pillow reads."""

VIDEOS: Final = (
    *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".ogv", ".ts", ".webm", ".wmv"),
)
"""What PyAV reads, by the usual endings of names."""


def read_clip(
    source: Path | BinaryIO,
    sampling: FrameSampling,
    *,
    name: str = "",
    max_pixels: int = MAX_PIXELS,
) -> list[Image.Image]:
    """Read the wanted frames of a video or an animation as RGB.

    Frames are decoded one after the other and only the wanted ones are kept, so that memory does
    not grow with the clip. What counts is how many frames can be decoded, not what the file says.

    Args:
        source: A file, or an open one. Animations (GIF, WebP, APNG) are read by Pillow, known by
            their name's ending; all else by PyAV, an extra.
        sampling: Which frames are wanted.
        name: What messages call the clip, and by whose ending an open file is judged; the file's
            path if not given.
        max_pixels: Clips whose frames have more pixels are refused.

    Raises:
        UserError: There is no such file; it is no clip, has no frames, is damaged, its frames have
            too many pixels or come at no known rate while the sampling wants one; or PyAV is not
            installed.
    """
    called = name or str(source)
    if isinstance(source, Path) and not source.is_file():
        closest = closest_path(str(source))
        raise UserError(f"there is no clip '{called}'", closest=closest, todo="check the path")
    if called.lower().endswith(ANIMATIONS):
        return _animation(source, sampling, called, max_pixels)
    return _video(source, sampling, called, max_pixels)


def read_frames(
    frames: Sequence[Callable[[], Image.Image]], sampling: FrameSampling, *, name: str
) -> list[Image.Image]:
    """Read the wanted ones of a series of pictures, such as a folder of frames.

    Args:
        frames: Return the pictures, RGB.
        sampling: Which frames are wanted.
        name: What messages call the clip.

    Raises:
        UserError: As the pictures raise it; or the sampling wants a rate, which they do not have.
    """
    return [frames[place]() for place in _places(sampling, len(frames), None, name)]


def _animation(
    source: Path | BinaryIO, sampling: FrameSampling, name: str, max_pixels: int
) -> list[Image.Image]:
    try:
        with Image.open(source) as opened:
            _require_pixels(opened.width, opened.height, name, max_pixels)
            durations = [
                float(frame.info.get("duration") or 0) for frame in ImageSequence.Iterator(opened)
            ]
            seconds = sum(durations) / 1000.0
            fps = len(durations) / seconds if seconds else None
            found = []
            for place in _places(sampling, len(durations), fps, name):
                opened.seek(place)
                found.append(read_image(opened.copy(), name=name, max_pixels=max_pixels))
            return found
    except UserError:
        raise
    except UnidentifiedImageError:
        raise _no_clip(name) from None
    except Exception as error:  # damaged bytes can make decoders raise nearly anything
        raise _damaged(name, _said(error)) from error


def _video(
    source: Path | BinaryIO, sampling: FrameSampling, name: str, max_pixels: int
) -> list[Image.Image]:
    av = _pyav(name)
    try:
        total, fps = _counted(av, source, name, max_pixels)
        while total:
            places = _places(sampling, total, fps, name)
            frames, decoded = _decoded(av, source, places)
            if decoded == total:
                return frames
            total = decoded  # packets without a frame, or frames that were cut off
    except UserError:
        raise
    except Exception as error:  # as above
        raise _damaged(name, _said(error)) from error
    raise UserError(f"the clip '{name}' has no frames", todo="leave it out")


def _counted(
    av: Any, source: Path | BinaryIO, name: str, max_pixels: int
) -> tuple[int, float | None]:
    """Return how many frames the packets promise, and frames a second.

    Raises:
        UserError: It is no video, or cut short.
    """
    try:
        opened = _opened(av, source)
    except av.error.InvalidDataError as error:
        raise _no_clip(name) from error
    with opened as container:
        if not container.streams.video:
            raise UserError(f"'{name}' holds no video, only sound", todo="give a clip with frames")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise _no_clip(name)
        _require_pixels(stream.width, stream.height, name, max_pixels)
        rate = stream.average_rate or stream.guessed_rate
        packets, cut = 0, False
        for packet in container.demux(stream):
            if packet.size:
                packets, cut = packets + 1, packet.is_corrupt
        # The last one is there in part. Recordings of broadcasts, which may begin and end anywhere,
        # promise no number of frames.
        if cut and stream.frames:
            there = f"{packets - 1:,} of {stream.frames:,} frames are there"
            raise _damaged(name, there)
        return packets, None if not rate else float(rate)


def _decoded(
    av: Any, source: Path | BinaryIO, places: Sequence[int]
) -> tuple[list[Image.Image], int]:
    """Return the frames at some places, and how many there are in all."""
    wanted, kept, count = set(places), {}, 0
    with _opened(av, source) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            if count in wanted:
                picture = frame.to_image()
                kept[count] = picture.rotate(frame.rotation, expand=True)
            count += 1
    return [kept[place] for place in places if place in kept], count


def _opened(av: Any, source: Path | BinaryIO) -> Any:
    if isinstance(source, Path):
        return av.open(str(source))
    source.seek(0)
    return av.open(source)


def _pyav(name: str) -> Any:
    try:
        import av
    except ImportError:
        raise UserError(
            f"reading the video '{name}' needs the package av, which is not installed",
            todo="pip install 'seqforge-lightning[video]', or give folders of frames",
        ) from None
    av.logging.set_level(None)  # what FFmpeg has to say of damage is said by the error
    return av


def _places(sampling: FrameSampling, total: int, fps: float | None, name: str) -> tuple[int, ...]:
    if total == 0:
        raise UserError(f"the clip '{name}' has no frames", todo="leave it out")
    if sampling.rate is not None and fps is None:
        raise UserError(
            f"nothing is known of how many frames a second '{name}' has",
            where="data.frame_rate",
            todo="leave the rate out, or give videos",
        )
    return sampling.places(total, fps)


def _require_pixels(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise UserError(
            f"the clip '{name}' has frames of {width} x {height} = {width * height:,} pixels",
            accepted=[f"{max_pixels:,} pixels or fewer"],
            todo="scale it down",
        )


def _no_clip(name: str) -> UserError:
    return UserError(
        f"'{name}' is no clip, or of a kind that cannot be read",
        todo="give a video such as MP4 or AVI, a GIF, or a folder of frames",
    )


def _damaged(name: str, said: str) -> UserError:
    return UserError(
        f"the clip '{name}' is damaged or cut short: {said[:120]}",
        todo="get the file again, or leave it out",
    )


def _said(error: Exception) -> str:
    """Return what a library says of damage, without its numbers and names of functions."""
    told = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(told.split()) or type(error).__name__
