"""Keeping memory that was used once, instead of giving it back to the system after each step."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt(3)
LARGE = 2**30
"""Bytes: smaller pieces come from memory that is kept."""


def keep_memory() -> None:
    """Tell the C library to keep large pieces of memory for the next ones.

    By default glibc maps every large tensor anew and the system fills its pages with zeros, step
    after step: a tenth of a training step on a CPU and more. Does nothing where the C library is
    another.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # a C library without mallopt
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, LARGE)
        library.mallopt(_TRIM_THRESHOLD, LARGE)
