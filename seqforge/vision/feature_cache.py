"""Features of frozen image encoders, computed once and read from the disk ever after."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.errors import UserError
from seqforge.vision.feature_key import feature_key
from seqforge.vision.frozen_features import frozen_features
from seqforge.vision.image_encoder import ImageEncoder
from seqforge.vision.image_transform import ImageTransform
from seqforge.vision.one_process import agreed, done_by_first
from seqforge.vision.picture_batches import Pictures, picture_batches

Features = NDArray[np.float16]

BATCH = 64
"""Pictures that the network reads at a time."""

ABANDONED = 3600.0
"""Seconds after which a half-written file is taken for one that nobody writes any more."""

QUIET, INTERVAL = 5.0, 30.0
"""Seconds before the first line on a long computation, and between lines."""

TOLERANCE = 0.02
"""How far the features of the probe may lie apart: devices and libraries round differently."""


class FeatureCache:
    """Keeps the features of pictures in files that are mapped into memory, never read as a whole.

    A file's name is a hash of the encoder's weights, class and arguments, of the transform and of
    the pictures' content. What a hash cannot know, the code that computes, is tested: one more row
    of each file has the features of a fixed picture, and if these have changed, all are computed
    anew. Files are written beside, synced and renamed: a killed process leaves nothing wrong.

    Args:
        folder: Where the files lie; made if needed. In a run of several processes all must see it.
        say: Called with lines on computations that take long.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] | None = None) -> None:
        self._folder = folder
        self._say = say

    def features(
        self,
        encoder: ImageEncoder,
        transform: ImageTransform,
        pictures: Pictures,
        device: torch.device,
    ) -> Features:
        """Return the features of all pictures, `(N, P, C)` float16, computed if need be.

        In a run of several processes all must call it; the first one computes.

        Args:
            encoder: Built, with its weights; it is put back on its own device afterwards.
            transform: What the pictures went through.
            pictures: The pictures, transformed.
            device: Where to compute.

        Raises:
            UserError: A picture cannot be read, the folder cannot be written, or another process
                has failed or does not see it.
        """
        home = next(encoder.parameters()).device
        encoder.to(device)
        try:
            folded = encoder.folded()
            probe = _probe(folded, transform.size)
            shape = (len(pictures) + 1, *probe.shape)
            ready = self._ready(encoder, folded, transform, pictures, probe)
            file = Path(done_by_first(ready))
        finally:
            encoder.to(home)
        found = _opened(file, shape)
        agreed(None if found is not None else _unseen(file))
        assert found is not None  # or `agreed` had raised
        return found[1:]

    def _ready(
        self,
        encoder: ImageEncoder,
        folded: ImageEncoder,
        transform: ImageTransform,
        pictures: Pictures,
        probe: Features,
    ) -> Generator[None, None, str]:
        """Return the path of the whole file, after computing it where there is none."""
        key = feature_key(encoder, transform, pictures.keys)
        target = self._folder / f"features-{key[:32]}.npy"
        found = _opened(target, (len(pictures) + 1, *probe.shape))
        if found is not None and np.allclose(found[0], probe, TOLERANCE, TOLERANCE):
            return str(target)
        part = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            yield from self._write(part, folded, pictures, probe)
            part.replace(target)
            _synchronise(self._folder)
        except OSError as error:
            raise UserError(
                f"cannot write the features of pictures in '{self._folder}': {error.strerror}",
                where="data.cache",
                todo="make room there, or choose another folder: --data.cache FOLDER",
            ) from error
        finally:
            with contextlib.suppress(OSError):  # there is none, once it was renamed
                part.unlink()
        return str(target)

    def _write(
        self, part: Path, encoder: ImageEncoder, pictures: Pictures, probe: Features
    ) -> Generator[None, None, None]:
        count, name = len(pictures), type(encoder).__name__
        progress = _Progress(self._say, f"features of {count:,} pictures by {name}, once", count)
        # Not through a memory map: there a full disk would kill the process.
        with part.open("wb") as file:
            shape = (count + 1, *probe.shape)
            header = {"descr": "<f2", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(_bytes(probe))
            for batch in picture_batches(pictures, BATCH):
                file.write(_bytes(_numbers(frozen_features(encoder, batch))))
                progress.advance(len(batch))
                yield
            file.flush()
            os.fsync(file.fileno())

    def _sweep(self) -> None:
        """Remove what killed processes have left behind."""
        for part in self._folder.glob(".features-*.part"):
            try:
                if time.time() - part.stat().st_mtime > ABANDONED:
                    part.unlink()
            except OSError:
                continue  # its own process has just renamed or removed it


class _Progress:
    def __init__(self, say: Callable[[str], None] | None, title: str, count: int) -> None:
        self._say, self._title, self._count = say, title, count
        self._done = 0
        self._started = time.monotonic()
        self._next = self._started + QUIET

    def advance(self, more: int) -> None:
        self._done += more
        now = time.monotonic()
        if self._say is not None and now >= self._next and self._done < self._count:
            self._next = now + INTERVAL
            rate = self._done / (now - self._started)
            rest = (self._count - self._done) / rate
            self._say(f"{self._title}: {self._done:,} done, {rate:,.0f}/s, {rest:,.0f} s to go")


def _probe(encoder: ImageEncoder, size: int) -> Features:
    """Return the features of a picture with gradients of colour and an edge, `(P, C)`."""
    slope = torch.arange(size, dtype=torch.int64) * 255 // size
    rows, columns = torch.meshgrid(slope, slope, indexing="ij")
    picture = torch.stack((rows, columns, 255 * (rows > columns))).to(torch.uint8)
    found: Features = _numbers(frozen_features(encoder, picture[None]))[0]
    return found


def _numbers(features: Tensor) -> Features:
    numbers: Features = features.cpu().numpy()
    return numbers


def _bytes(features: Features) -> bytes:
    return bytes(features.astype("<f2", copy=False).tobytes())


def _opened(file: Path, shape: tuple[int, ...]) -> Features | None:
    """Return the array of a whole file, mapped; None if there is none of this shape."""
    try:
        found: Features = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.float16 else None


def _unseen(file: Path) -> UserError:
    return UserError(
        f"a process does not see the features that the first one wrote: '{file}'",
        where="data.cache",
        todo="choose a folder that all machines share: --data.cache FOLDER",
    )


def _synchronise(folder: Path) -> None:
    if os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
