"""What our defaults give way to."""

from typing import Any

import pytest
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.plugins.io import TorchCheckpointIO

from seqforge.cli.config_places import read_sources
from seqforge.cli.trainer_settings import TRAINER_DEFAULTS, complete, settle
from seqforge.errors import UserError
from seqforge.training import AtomicCheckpointIO, Checkpointer

OPTIONS = {
    "accelerator": "cpu",
    "precision": None,
    "max_steps": -1,
    "barebones": False,
    "logger": None,
    "plugins": None,
    "enable_checkpointing": None,
}


def options(**values: Any) -> dict[str, Any]:
    return {**TRAINER_DEFAULTS, **OPTIONS, **values}


def settled(argv: list[str], full_precision: bool = False, **values: Any) -> dict[str, Any]:
    trainer = options(**values)
    settle(trainer, read_sources(argv), full_precision)
    return trainer


def test_steps_alone_lift_the_default_of_epochs() -> None:
    assert settled([], max_steps=500)["max_epochs"] == -1
    assert settled(["--trainer.max_epochs", "20"], max_steps=500)["max_epochs"] == 20
    assert settled([])["max_epochs"] == 20


@pytest.mark.parametrize("precision", ["16-mixed", "16-true", 16, "bf16-true"])
def test_precisions_that_are_too_low(precision: object) -> None:
    with pytest.raises(UserError, match=f"precision {precision} is too low"):
        settled([], precision=precision)


def test_precision_is_chosen_where_none_is_given() -> None:
    assert settled([], full_precision=True)["precision"] == "32-true"
    assert settled([])["precision"] in ("32-true", "bf16-mixed")
    assert settled([], precision="64-true")["precision"] == "64-true"


def test_a_root_folder_there_must_be() -> None:
    assert settled([], default_root_dir=None)["default_root_dir"] == "runs"


@pytest.mark.parametrize(
    ("given", "expected"), [(None, True), (True, True), (False, False), ("own", "own")]
)
def test_loggers(given: Any, expected: Any) -> None:
    trainer = options(logger=given)

    complete(trainer, [], loggers=True)

    assert trainer["logger"] == expected


@pytest.mark.parametrize("values", [{"enable_checkpointing": False}, {"barebones": True}])
def test_no_checkpoints(values: dict[str, bool]) -> None:
    monitor = LearningRateMonitor()
    callbacks: list[Callback] = [Checkpointer(), monitor]

    complete(options(**values), callbacks, loggers=[])

    assert callbacks == [monitor]


def test_plugins_of_a_user_come_first() -> None:
    own = TorchCheckpointIO()
    for given, kind in ((None, AtomicCheckpointIO), (own, TorchCheckpointIO)):
        trainer = options(plugins=given)
        complete(trainer, [], loggers=[])
        assert [type(plugin) for plugin in trainer["plugins"]] == [kind]
