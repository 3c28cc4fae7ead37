"""The packages that engines need, and how they are kept quiet."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

EXTRA = "onnx"
"""The extra of this distribution that installs what engines need."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep libraries from telling a user what only their developers can use."""
    root, before = logging.getLogger(), logging.root.manager.disable
    silent = logging.NullHandler()  # else a first `logging.warning` would set up another one
    root.addHandler(silent)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\)")
            yield
    finally:
        logging.disable(before)
        root.removeHandler(silent)
