"""Small clips on the disk, whose frames tell their number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 32
STEP = 5
"""Grey levels from frame to frame: more than a lossy codec blurs."""


def grey(number: int) -> int:
    """Return the brightness of a clip's frame, 0 to 255."""
    return 20 + STEP * (number % 45)


def write_video(
    file: Path, frames: int, fps: int = 10, size: tuple[int, int] = (SIDE, SIDE)
) -> Path:
    """Write a video by PyAV: MPEG-4 in whatever the ending says."""
    av = pytest.importorskip("av")
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(frames):
            values = np.full((size[1], size[0], 3), grey(number), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(values, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def write_animation(file: Path, frames: int, milliseconds: int = 100) -> Path:
    """Write a GIF."""
    pictures = [Image.new("L", (SIDE, SIDE), grey(number)) for number in range(frames)]
    file.parent.mkdir(parents=True, exist_ok=True)
    pictures[0].save(file, save_all=True, append_images=pictures[1:], duration=milliseconds)
    return file


def write_frames(folder: Path, frames: int, first: int = 0) -> Path:
    """Write a folder of frames: `0.png`, `1.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(frames):
        picture = Image.new("RGB", (SIDE, SIDE), (grey(number + first),) * 3)
        picture.save(folder / f"{number}.png")
    return folder


def numbers(pictures: Sequence[Image.Image]) -> list[int]:
    """Return which frames pictures are, below 45."""
    return [round((float(np.asarray(each).mean()) - 20) / STEP) for each in pictures]
