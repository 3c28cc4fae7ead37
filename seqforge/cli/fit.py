"""`seqforge fit`, `validate`, `test` and `predict`: Lightning's command line with our defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from seqforge.cli.memory import keep_memory
from seqforge.cli.quiet import quiet_libraries

quiet_libraries()

import pytorch_lightning as pl  # noqa: E402 - the libraries are quiet from their import on
import yaml  # noqa: E402
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI  # noqa: E402
from torch import distributed  # noqa: E402

from seqforge import checkpoint as checkpoints  # noqa: E402
from seqforge.cli import elastic, runs  # noqa: E402
from seqforge.cli.config_places import names_class, read_sources  # noqa: E402
from seqforge.cli.console import Console  # noqa: E402
from seqforge.cli.construction import REFUSALS, Construction  # noqa: E402
from seqforge.cli.endings import (  # noqa: E402
    command,
    exit_code,
    is_trainers_own,
    restoring,
    with_own_configuration,
)
from seqforge.cli.hints import HintingParser, parse  # noqa: E402
from seqforge.cli.shared_run import SHARED_VARIABLE, dumps, shared  # noqa: E402
from seqforge.cli.trainer_settings import (  # noqa: E402
    TRAINER_DEFAULTS,
    complete,
    default_loggers,
    settle,
)
from seqforge.data import DataModule  # noqa: E402
from seqforge.errors import FAILURE, OK, UserError  # noqa: E402
from seqforge.registry import load as load_registry  # noqa: E402
from seqforge.training import (  # noqa: E402
    Checkpointer,
    EarlyStopping,
    NonFiniteLoss,
    Predictions,
    RandomState,
    Samples,
    SequenceModule,
)
from seqforge.training.predictions import PREDICTIONS  # noqa: E402

Chosen = TypeVar("Chosen", bound=pl.Callback)


def run(argv: list[str]) -> int:
    """Run one of Lightning's subcommands.

    Args:
        argv: The subcommand and its arguments.

    Returns:
        The exit code.

    Raises:
        UserError: The configuration or the data is not right.
    """
    keep_memory()
    quiet_libraries()  # again, for callers that have reset the filters since the import
    load_registry(require_modules=True)
    if elastic.is_launched():
        elastic.own_store()
    cli = SeqforgeCLI(argv)
    return cli.execute()


class SeqforgeCLI(LightningCLI):
    """Lightning's command line for a `SequenceModule` and a data module.

    It parses and instantiates when it is made, and runs in `execute`.

    Args:
        argv: The subcommand and its arguments.
    """

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.chosen = argv[0]
        self.run = runs.Run(Path())
        self.resolved: dict[str, Any] = {}
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
        self.construction.add_group(SequenceModule, "model")
        self.construction.add_group(Checkpointer, "checkpoint")
        self.construction.add_group(EarlyStopping, "early_stopping")
        self.construction.add_group(Samples, "samples")
        parser.add_lightning_class_args(Checkpointer, "checkpoint")
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.add_lightning_class_args(Samples, "samples")
        if names_class("model.optimizer", self.sources):
            # Otherwise another optimiser is given what the default one decays weights by, which
            # Adam, for one, takes for a penalty in the loss.
            parser.set_defaults({"model.optimizer": None})
        if self.chosen == "fit":
            parser.add_argument(
                "--resume",
                type=str,
                default="no",
                help="'auto' goes on with the newest unfinished run of this configuration; "
                "a run folder: with that one",
            )
            parser.add_argument("--run", type=str, default="", help="Name of the run's folder")

    def _parse_ckpt_path(self) -> None:
        """Keep what a checkpoint stores from overriding what the user gave."""

    # -- instantiating ------------------------------------------------------------------------

    def before_instantiate_classes(self) -> None:
        """Vet checkpoints, settle what depends on the machine, choose the run folder."""
        config = self.config[self.chosen]
        settle(config["trainer"], self.sources, self._wants_full_precision(config))
        if config.get("ckpt_path"):
            config["ckpt_path"] = self._checkpoint(config["ckpt_path"])
        elif self.chosen != "fit":
            raise UserError(
                f"{self.chosen} needs a checkpoint",
                where="ckpt_path",
                todo=f"seqforge {self.chosen} --config … --ckpt_path runs/NAME",
            )
        if self.chosen == "fit":
            self._choose_run(config)

    def instantiate_classes(self) -> None:
        """Construct trainer, model and data; what refuses its arguments is named by its key."""
        try:
            with self.construction.explained(self.config[self.chosen]):
                super().instantiate_classes()
        except BaseException:
            os.environ.pop(SHARED_VARIABLE, None)
            runs.discard_unused(self.run)
            raise

    def _choose_run(self, config: Any) -> None:
        self.resolved = self.resolved_config()
        root = Path(config["trainer"]["default_root_dir"])
        task = str(self.resolved["model"]["task"]["class_path"]).rpartition(".")[2]

        def decide() -> runs.Run:
            if config["trainer"]["fast_dev_run"]:
                return runs.trial()
            resume, name = config["resume"], config["run"]
            return runs.decide(root, self.resolved, task, resume, name, self._with_defaults)

        self.run = shared(root, decide)
        os.environ[SHARED_VARIABLE] = dumps(self.run)
        config["trainer"]["default_root_dir"] = str(self.run.folder)
        if self.run.checkpoint:
            config["ckpt_path"] = self.run.checkpoint

    def _with_defaults(self, saved: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the configuration of an older version's run with today's defaults in it."""
        parser = self._parser(self.chosen)
        try:
            parsed = parser.parse_object(dict(saved))
        except Exception:  # what cannot be read any more has no defaults to add
            return saved
        return self._resolved(parsed)

    def _checkpoint(self, path: str) -> str:
        given = Path(path)
        last = given / "checkpoints" / "last.ckpt"
        # To train on, all is needed that training had; the best checkpoint is for inference.
        file = last if self.chosen == "fit" and last.is_file() else checkpoints.find(given)
        state = checkpoints.read(file)
        if self.chosen == "fit" and "optimizer_states" not in state:
            raise UserError(
                f"'{file}' is a checkpoint to infer with: no training can go on from it",
                where="ckpt_path",
                closest=str(file.with_name("last.ckpt")),
                todo="give a last.ckpt, or go on with the run itself: --resume runs/NAME",
            )
        return str(file)

    def resolved_config(self) -> dict[str, Any]:
        """Return the whole configuration, defaults included, as plain values."""
        return self._resolved(self.config[self.chosen])

    def _resolved(self, parsed: Any) -> dict[str, Any]:
        text = self._parser(self.chosen).dump(parsed, skip_none=False, skip_validation=True)
        config: dict[str, Any] = yaml.safe_load(text)
        for key in ("config", "resume", "run", "ckpt_path", "weights_only"):
            config.pop(key, None)
        return config

    def _instantiate_trainer(
        self, config: dict[str, Any], callbacks: list[pl.Callback]
    ) -> pl.Trainer:
        """Make the trainer with our callbacks, loggers and atomic checkpoints."""
        self.console = Console(bar=bool(config["enable_progress_bar"]))
        self.checkpointer = _only(callbacks, Checkpointer)
        _only(callbacks, Samples).show = self.console.show_previews
        complete(
            config,
            callbacks,
            default_loggers(self.run.folder, self.run.steps) if self.chosen == "fit" else False,
        )
        self.trainer_defaults = {"callbacks": [RandomState(), self.console, Predictions()]}
        # Lightning's own messages on some options are TypeErrors.
        with self.construction.of("trainer", "the trainer", (*REFUSALS, TypeError)):
            trainer = super()._instantiate_trainer(config, callbacks)
        self.console.quiet = not trainer.is_global_zero
        attached: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        # The console's line on an epoch comes before the samples of that epoch.
        attached.sort(key=lambda each: each is not self.console)
        return trainer

    def _wants_full_precision(self, config: Any) -> bool:
        path = str(config["model"]["task"]["class_path"])
        task = load_registry().find("seqforge.tasks", path)
        return bool(getattr(task, "full_precision", False))

    # -- running ------------------------------------------------------------------------------

    def _run_subcommand(self, subcommand: str) -> None:
        """Leave the running to `execute`."""

    def execute(self) -> int:
        """Run the subcommand, say how it ended and return the exit code.

        Raises:
            UserError: The trainer or the data refused what was given.
        """
        checkpoint = str(self.config[self.chosen].get("ckpt_path") or "")
        try:
            with restoring(checkpoint):
                code = self._fit() if self.chosen == "fit" else self._evaluate()
            _leave_process_group()
            return code
        except UserError as error:
            if checkpoint != self.run.checkpoint:  # a resumed run has its own already
                with_own_configuration(error, checkpoint)
            raise self.construction.located(error) from error.__cause__
        except SystemExit as stop:
            code = self._interrupted(stop)
            if self.checkpointer.stopped:
                _leave_process_group()
            return code
        except Exception as error:
            if is_trainers_own(error):
                with self.construction.of("trainer", "the trainer"):
                    raise
            raise
        finally:
            os.environ.pop(SHARED_VARIABLE, None)
            if self.trainer.is_global_zero:
                runs.discard_unused(self.run)

    def _evaluate(self) -> int:
        arguments = self._prepare_subcommand_kwargs(self.chosen)
        arguments["weights_only"] = True
        if isinstance(self.datamodule, DataModule):
            spec = checkpoints.read(arguments["ckpt_path"])["seqforge"]["spec"]
            with restoring(arguments["ckpt_path"], everything=True):
                self.datamodule.adopt(spec)
        if self.chosen == "predict":
            arguments["return_predictions"] = False
        else:
            arguments["verbose"] = False
        getattr(self.trainer, self.chosen)(**arguments)
        batches = getattr(self.trainer, BATCHES[self.chosen])
        if not sum(batches if isinstance(batches, list) else [batches]):
            raise UserError(
                f"there is no data to {self.chosen}",
                where="data",
                todo="give a part to measure, such as data.validation or data.test",
            )
        self.console.show_metrics(self.trainer)
        if self.chosen == "predict":
            self.console.say(f"written: {Path(self.trainer.default_root_dir) / PREDICTIONS}")
        return OK

    def _fit(self) -> int:
        arguments = self._prepare_subcommand_kwargs("fit")
        arguments["weights_only"] = True
        self.console.start(self.run)
        if self.run.checkpoint:
            if self._target_reached():
                return OK
            if self.trainer.is_global_zero:
                runs.resume(self.run.folder, self.resolved)
        try:
            self.trainer.fit(**arguments)
        except NonFiniteLoss as error:
            good = self.checkpointer.last_good
            again = self.command() if good else command(self.argv)
            todo = f"lower --model.optimizer.lr or --trainer.gradient_clip_val, then {again}"
            self.console.stopped(str(error), good, todo)
            return FAILURE
        if self.trainer.is_global_zero:
            runs.finish(self.run, self.resolved)
        self.console.finished(self.trainer, self.checkpointer)
        return OK

    def _target_reached(self) -> bool:
        state = checkpoints.read(self.run.checkpoint)
        trainer = self.trainer
        with restoring(self.run.checkpoint, everything=True):
            completed = int(state["loops"]["fit_loop"]["epoch_progress"]["current"]["completed"])
            epochs, steps = max(int(state["epoch"]), completed), int(state["global_step"])
        by_epochs = trainer.max_epochs is not None and 0 <= trainer.max_epochs <= completed
        by_steps = 0 <= trainer.max_steps <= steps
        reached = by_epochs or by_steps or runs.is_finished(self.run.folder, self.resolved)
        if reached:
            self.console.say(
                f"run '{self.run.folder.name}' has reached its target: epochs: {epochs}, steps: "
                f"{steps}; raise --trainer.{'max_steps' if by_steps else 'max_epochs'} to train on"
            )
        return reached

    def _interrupted(self, stop: SystemExit) -> int:
        caught = self.checkpointer.caught_signal
        code = exit_code(stop, caught)
        if code is None:
            raise stop
        last = self.checkpointer.folder(self.trainer) / "last.ckpt"
        if self.chosen == "fit" and last.is_file() and not self.run.trial:
            self.console.stopped(f"stopped by {caught or 'SIGINT'}", last, self.command())
        else:
            self.console.say("interrupted")
        return code

    def command(self) -> str:
        """Return the command that goes on with this run."""
        return command(self.argv, self.run.folder)


BATCHES = {
    "validate": "num_val_batches",
    "test": "num_test_batches",
    "predict": "num_predict_batches",
}
"""The trainer's attributes that count what a subcommand runs over."""


def _leave_process_group() -> None:
    """End what all processes end together, at a good end or at a stop that they agreed on.

    Threads that still hold tensors abort a process that exits without this. Not after a failure: a
    process that waits for one that failed would wait for ever.
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _only(callbacks: Sequence[pl.Callback], kind: type[Chosen]) -> Chosen:
    return next(callback for callback in callbacks if isinstance(callback, kind))


__all__ = ["SeqforgeCLI", "run"]
