"""What the libraries may not say, and an interruption that must be heard."""

import logging
import os
import signal
import warnings

import pytest

from seqforge.cli.quiet import _interruptible, quiet_libraries


def test_advice_is_silent_and_real_warnings_are_not() -> None:
    quiet_libraries()

    warnings.warn("The 'val_dataloader' does not have many workers which may be", stacklevel=1)
    warnings.warn("Total length of `dict` across ranks is zero.", stacklevel=1)
    with pytest.warns(UserWarning, match="a real one"):
        warnings.warn("a real one", stacklevel=1)
    assert logging.getLogger("pytorch_lightning").getEffectiveLevel() == logging.WARNING


def test_an_interruption_waits_for_the_import() -> None:
    before = signal.getsignal(signal.SIGINT)
    reached = []

    def load() -> None:
        with _interruptible():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        load()
    assert reached
    assert signal.getsignal(signal.SIGINT) is before


def test_errors_of_an_import_pass_through() -> None:
    with pytest.raises(ImportError, match="broken"), _interruptible():
        raise ImportError("broken")
