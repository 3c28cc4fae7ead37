"""Recurrent sequence models for many tasks, trained from one YAML file.

Importing this package is quick: the public names below are fetched when they are first used.
"""

import importlib
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqforge.checkpoint import load
    from seqforge.data import Batch, DataModule, Plan
    from seqforge.encoders import Encoder, EncoderFactory
    from seqforge.errors import UserError
    from seqforge.task import Figure, Loss, Piece, Progress, Table, Task, Term, Text
    from seqforge.training import SequenceModule

__all__ = [
    "Batch",
    "DataModule",
    "Encoder",
    "EncoderFactory",
    "Figure",
    "Loss",
    "Piece",
    "Plan",
    "Progress",
    "SequenceModule",
    "Table",
    "Task",
    "Term",
    "Text",
    "UserError",
    "__version__",
    "load",
]

_HOMES = {
    "seqforge.checkpoint": ("load",),
    "seqforge.data": ("Batch", "DataModule", "Plan"),
    "seqforge.encoders": ("Encoder", "EncoderFactory"),
    "seqforge.errors": ("UserError",),
    "seqforge.task": ("Figure", "Loss", "Piece", "Progress", "Table", "Task", "Term", "Text"),
    "seqforge.training": ("SequenceModule",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _version() -> str:
    try:
        return metadata.version("seqforge-lightning")
    except metadata.PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"


__version__ = _version()


if not TYPE_CHECKING:  # type checkers read the imports above, and report any other name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value  # the next use is an ordinary look-up
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
