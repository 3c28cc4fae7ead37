"""Which messages of the libraries below a user need not see, each with its reason."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seqforge.errors import INTERRUPTED

IGNORED_WARNINGS = (
    # jsonargparse 4.49 deprecates calls that Lightning 2.6 still makes (pytorch-lightning #21900).
    r".*jsonargparse.*deprecated.*",
    # torch deprecates a class that Lightning 2.6 still compares with.
    r".*isinstance\(treespec, LeafSpec\).*",
    # Our loader keeps its position in the data module, which Lightning does not see.
    r".*train_dataloader.*does not have many workers.*",
    r".*val_dataloader.*does not have many workers.*",
    r".*dataloader.*is not resumable.*",
    # A short epoch is no mistake.
    r".*The number of training batches \(\d+\) is smaller than the logging interval.*",
    # Data without validation loaders is no mistake either.
    r".*Total length of `\w+` across ranks is zero.*",
    # Resuming inside an epoch is what the rolling checkpoint is for.
    r".*You're resuming from a checkpoint that ended before the epoch ended.*",
    # A frozen part stays in evaluation mode on purpose.
    r".*Found \d+ module\(s\) in eval mode at the start of training.*",
    # Checkpoints and logs of one run lie in one folder by design.
    r".*Checkpoint directory .* exists and is not empty.*",
)


def quiet_libraries() -> None:
    """Silence advice that is not meant for users of seqforge; real warnings stay."""
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    with _interruptible():
        import pytorch_lightning  # noqa: F401 - sets its own logging levels when it is imported

    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Keep a Ctrl-C until an import is done: inside, libraries swallow it or break off hard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's interface
        if caught:
            os._exit(INTERRUPTED)
        caught.append(number)

    previous = signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if caught:
        raise KeyboardInterrupt
