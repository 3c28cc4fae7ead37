"""`seqforge fit`, `validate`, `test` and `predict`: Lightning's command line with our defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqforge.cli.quiet import quiet_libraries

quiet_libraries()

import pytorch_lightning as pl  # noqa: E402 - the libraries are quiet from their import on
import yaml  # noqa: E402
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI  # noqa: E402
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger  # noqa: E402

from seqforge import checkpoint as checkpoints  # noqa: E402
from seqforge.cli import runs  # noqa: E402
from seqforge.cli.config_places import read_sources  # noqa: E402
from seqforge.cli.console import Console  # noqa: E402
from seqforge.cli.construction import Construction  # noqa: E402
from seqforge.cli.hints import HintingParser, parse  # noqa: E402
from seqforge.data.base import DataModule  # noqa: E402
from seqforge.errors import FAILURE, INTERRUPTED, OK, UserError  # noqa: E402
from seqforge.precision import training_precision  # noqa: E402
from seqforge.registry import load as load_registry  # noqa: E402
from seqforge.training import (  # noqa: E402
    AtomicCheckpointIO,
    Checkpointer,
    EarlyStopping,
    NonFiniteLoss,
    Predictions,
    RandomState,
    Samples,
    SequenceModule,
)
from seqforge.training.predictions import PREDICTIONS  # noqa: E402

TRAINER_DEFAULTS: dict[str, Any] = {
    "max_epochs": 20,
    "gradient_clip_val": 1.0,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 10,
    "use_distributed_sampler": False,  # our loaders share batches out over ranks themselves
    "enable_model_summary": False,
    "enable_progress_bar": True,
    "default_root_dir": "runs",
}


def run(argv: list[str]) -> int:
    """Run one of Lightning's subcommands.

    Args:
        argv: The subcommand and its arguments.

    Returns:
        The exit code.

    Raises:
        UserError: The configuration or the data is not right.
    """
    load_registry()
    cli = SeqforgeCLI(argv)
    return cli.execute()


class SeqforgeCLI(LightningCLI):
    """Lightning's command line for a `SequenceModule` and a data module.

    It parses and instantiates when it is made, and runs in `execute`.

    Args:
        argv: The subcommand and its arguments.
    """

    def __init__(self, argv: list[str]) -> None:
        self.chosen = argv[0]
        self.run = runs.Run(Path())
        self.sources = read_sources(argv[1:])
        self.construction = Construction(self.sources)
        super().__init__(
            model_class=SequenceModule,
            datamodule_class=pl.LightningDataModule,
            subclass_mode_data=True,
            save_config_callback=None,
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            parser_class=HintingParser,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            args=argv,
        )

    # -- parsing ------------------------------------------------------------------------------

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Return the chosen subcommand alone: building all four parsers takes a second."""
        return {self.chosen: LightningCLI.subcommands()[self.chosen]}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, without Lightning's warning about arguments that are not the process's own."""
        self.config = parse(parser, args, self.sources)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add what seqforge has beside trainer, model and data."""
        parser.add_instantiator(self.construction, object)
        parser.add_lightning_class_args(Checkpointer, "checkpoint")
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.add_lightning_class_args(Samples, "samples")
        if self.chosen == "fit":
            parser.add_argument(
                "--resume",
                type=str,
                default="no",
                help="'auto' goes on with the newest unfinished run of this configuration; "
                "a run folder with that one",
            )
            parser.add_argument("--run", type=str, default="", help="Name of the run's folder")

    def _parse_ckpt_path(self) -> None:
        """Keep what a checkpoint stores from overriding what the user gave."""

    # -- instantiating ------------------------------------------------------------------------

    def before_instantiate_classes(self) -> None:
        """Vet checkpoints, choose precision and run folder, and make loggers."""
        config = self.config[self.chosen]
        if config.get("ckpt_path"):
            config["ckpt_path"] = str(checkpoints.find(config["ckpt_path"]))
            checkpoints.read(config["ckpt_path"])
        trainer = config["trainer"]
        if trainer["precision"] is None:
            full = self._wants_full_precision(config)
            trainer["precision"] = "32-true" if full else training_precision(trainer["accelerator"])
        if self.chosen == "fit":
            self._choose_run(config)

    def instantiate_classes(self) -> None:
        """Construct trainer, model and data; what refuses its arguments is named by its key."""
        with self.construction.explained(self.config[self.chosen]):
            super().instantiate_classes()

    def _choose_run(self, config: Any) -> None:
        resolved = self.resolved_config()
        root = Path(config["trainer"]["default_root_dir"])
        task = str(resolved["model"]["task"]["class_path"]).rpartition(".")[2]
        resume, name = config["resume"], config["run"]
        self.run = runs.shared(root, lambda: runs.decide(root, resolved, task, resume, name))
        os.environ[runs.SHARED_VARIABLE] = runs.dumps(self.run)
        config["trainer"]["default_root_dir"] = str(self.run.folder)
        if self.run.checkpoint:
            checkpoints.read(self.run.checkpoint)
            config["ckpt_path"] = self.run.checkpoint

    def resolved_config(self) -> dict[str, Any]:
        """Return the whole configuration, defaults included, as plain values."""
        text = self._parser(self.chosen).dump(
            self.config[self.chosen], skip_none=False, skip_validation=True
        )
        config: dict[str, Any] = yaml.safe_load(text)
        for key in ("config", "resume", "run", "ckpt_path"):
            config.pop(key, None)
        return config

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the trainer with our callbacks, loggers and atomic checkpoints."""
        config = self._get(self.config_init, "trainer")
        if config["logger"] in (None, True) and self.chosen == "fit":
            config["logger"] = default_loggers(self.run.folder)
        elif self.chosen != "fit":
            config["logger"] = config["logger"] or False
        self.console = Console(bar=bool(config["enable_progress_bar"]))
        config["enable_progress_bar"] = False
        plugins = config["plugins"] or []
        config["plugins"] = [*(plugins if isinstance(plugins, list) else [plugins])]
        config["plugins"].append(AtomicCheckpointIO())
        self.trainer_defaults = {"callbacks": [RandomState(), self.console, Predictions()]}
        with self.construction.of("trainer", "the trainer"):
            trainer = super().instantiate_trainer(**kwargs)
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        # The console's line on an epoch comes before the samples of that epoch.
        callbacks.sort(key=lambda each: each is not self.console)
        self.checkpointer: Checkpointer = _only(callbacks, Checkpointer)
        _only(callbacks, Samples).show = self.console.show_previews
        return trainer

    def _wants_full_precision(self, config: Any) -> bool:
        path = str(config["model"]["task"]["class_path"])
        task = load_registry().find("seqforge.tasks", path)
        return bool(getattr(task, "full_precision", False))

    # -- running ------------------------------------------------------------------------------

    def _run_subcommand(self, subcommand: str) -> None:
        """Leave the running to `execute`."""

    def execute(self) -> int:
        """Run the subcommand, say how it ended and return the exit code."""
        try:
            return self._fit() if self.chosen == "fit" else self._evaluate()
        finally:
            os.environ.pop(runs.SHARED_VARIABLE, None)

    def _evaluate(self) -> int:
        arguments = self._prepare_subcommand_kwargs(self.chosen)
        if self.chosen in ("validate", "test", "predict") and not arguments.get("ckpt_path"):
            raise UserError(
                f"{self.chosen} needs a checkpoint",
                where="ckpt_path",
                todo=f"seqforge {self.chosen} --config … --ckpt_path runs/NAME",
            )
        arguments["weights_only"] = True
        if self.chosen == "predict":
            arguments["return_predictions"] = False
        else:
            arguments["verbose"] = False
        getattr(self.trainer, self.chosen)(**arguments)
        self.console.show_metrics(self.trainer)
        if self.chosen == "predict":
            self.console.say(f"written: {Path(self.trainer.default_root_dir) / PREDICTIONS}")
        return OK

    def _fit(self) -> int:
        arguments = self._prepare_subcommand_kwargs("fit")
        arguments["weights_only"] = True
        self.console.start(self.run.folder, self.run.note)
        if self.run.checkpoint and self._target_reached():
            return OK
        try:
            self.trainer.fit(**arguments)
        except NonFiniteLoss as error:
            self.console.stopped(
                str(error),
                self.checkpointer.last_good,
                "lower --model.optimizer.lr or --trainer.gradient_clip_val, then "
                f"{self.command()}",
            )
            return FAILURE
        except SystemExit as stop:
            return self._interrupted(stop)
        runs.finish(self.run.folder) if self.trainer.is_global_zero else None
        self.console.finished(self.trainer, self.checkpointer)
        return OK

    def _target_reached(self) -> bool:
        state = checkpoints.read(self.run.checkpoint)
        trainer = self.trainer
        epochs, steps = int(state["epoch"]), int(state["global_step"])
        completed = int(state["loops"]["fit_loop"]["epoch_progress"]["current"]["completed"])
        by_epochs = trainer.max_epochs is not None and 0 <= trainer.max_epochs <= completed
        by_steps = 0 <= trainer.max_steps <= steps
        if by_epochs or by_steps:
            self.console.say(
                f"run '{self.run.folder.name}' has reached its target: {max(epochs, completed)} "
                f"epochs, {steps} steps; raise --trainer.max_epochs to train on"
            )
        return by_epochs or by_steps

    def _interrupted(self, stop: SystemExit) -> int:
        signal = self.checkpointer.caught_signal
        if not signal:
            raise stop
        # Lightning exits with 1 when a second Ctrl-C ends it at once.
        code = stop.code if isinstance(stop.code, int) and stop.code != FAILURE else INTERRUPTED
        last = self.checkpointer.folder(self.trainer) / "last.ckpt"
        self.console.stopped(f"stopped by {signal}", last, self.command())
        return code

    def command(self) -> str:
        """Return the command that goes on with this run."""
        words = [word for word in sys.argv[1:] if word not in ("--resume", "auto")]
        given = " ".join(words) if words and words[0] == "fit" else "fit --config …"
        return f"seqforge {given} --resume auto"


def default_loggers(folder: Path) -> list[Any]:
    """Return a CSV and a TensorBoard logger in a run folder; a resumed run logs beside itself."""
    number = len(list(folder.glob("logs*"))) + 1
    name = "logs" if number == 1 else f"logs-{number}"
    return [
        CSVLogger(folder, name=name, version=""),
        TensorBoardLogger(folder, name=name, version="", default_hp_metric=False),
    ]


def _only(callbacks: list[Any], kind: type) -> Any:
    return next(callback for callback in callbacks if isinstance(callback, kind))


def data_module_name(config: Mapping[str, Any]) -> str:
    """Return the short name of the configured data module."""
    return str(config["data"]["class_path"]).rpartition(".")[2]


__all__ = ["DataModule", "SeqforgeCLI", "default_loggers", "run"]
