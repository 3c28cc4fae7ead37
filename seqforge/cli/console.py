"""What a user sees while training: a header, a progress bar, samples, one table at the end."""

from __future__ import annotations

import inspect
import math
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich import box
from rich.console import Console as RichConsole
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text as RichText

from seqforge.cli.runs import Run
from seqforge.data import Batch, DataModule, padding_share
from seqforge.task import Figure, Preview, Table
from seqforge.training.checkpointer import Checkpointer
from seqforge.training.sequence_module import SequenceModule


class Console(pl.Callback):
    """Writes to the terminal, on the first process only.

    Args:
        bar: Show a progress bar where there is a terminal; off it, epochs are single lines.

    Attributes:
        quiet: Whether nothing is written: on all processes but the first.
    """

    def __init__(self, bar: bool = True) -> None:
        self.quiet = False
        self._out = RichConsole(highlight=False)
        self._bar = bar
        self._progress: Progress | None = None
        self._row: TaskID | None = None
        self._items = 0
        self._unit = "samples/s"
        self._started = self._epoch_started = time.monotonic()
        self._run = Run(Path())
        self._reported_step = -1

    def say(self, line: str) -> None:
        """Print a line as it is."""
        if not self.quiet:
            self._out.print(line, markup=False, soft_wrap=True)

    # -- training -----------------------------------------------------------------------------

    def start(self, run: Run) -> None:
        """Remember the run and what was decided about it."""
        self._run = run
        self._started = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print what is trained: sizes, batches, precision, folder."""
        self._epoch_started = time.monotonic()
        if self._run.note:
            self.say(self._run.note)
        if isinstance(pl_module, SequenceModule):
            self.say(describe(pl_module))
        padding = padding_share(trainer.train_dataloader)
        share = "" if padding is None else f"   padding: {padding:.1%}"
        self.say(
            f"batches: {trainer.num_training_batches} an epoch   {_target(trainer)}   "
            f"precision: {trainer.precision}   processes: {trainer.world_size}{share}"
        )
        data = getattr(trainer, "datamodule", None)
        for note in data.notes() if isinstance(data, DataModule) else ():
            self.say(note)
        if not self._run.trial:
            self.say(f"run: {self._run.folder}")
        if self._bar and self._out.is_terminal and not self.quiet:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.completed}/{task.total}"),
                TextColumn("loss {task.fields[loss]}"),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(compact=True),
                console=self._out,
                transient=True,
            )
            self._progress.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin an epoch's bar."""
        self._epoch_started, self._items = time.monotonic(), 0
        if self._progress is not None and self._row is not None:
            self._progress.remove_task(self._row)
            self._row = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advance the bar."""
        size, unit = batch.size() if isinstance(batch, Batch) else (1, "batches")
        self._items += size * trainer.world_size
        self._unit = f"{unit}/s"
        if self._progress is None:
            return
        if self._row is None:  # also where a run goes on inside an epoch, which then has no start
            batches = trainer.num_training_batches
            total = int(batches) if math.isfinite(batches) else None
            name = f"epoch {trainer.current_epoch}"
            self._row = self._progress.add_task(name, total=total, loss="-", rate="")
        self._progress.update(
            self._row,
            completed=batch_idx + 1,
            loss=f"{_loss(pl_module):.3f}",
            rate=self._rate(),
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the epoch's line: number, batch loss, validation, speed, time.

        A loss that the task measures in other units too is shown once; the logs have them all.
        """
        if not self._items:  # a run that goes on from an epoch's very end has nothing to say of it
            return
        self._reported_step = trainer.global_step
        derived = pl_module.derived_metrics if isinstance(pl_module, SequenceModule) else ()
        metrics = [
            f"{name}: {value.item():.4g}"
            for name, value in sorted(trainer.callback_metrics.items())
            if name.startswith("val/") and name not in derived
        ]
        seconds = time.monotonic() - self._epoch_started
        parts = [_progress_line(trainer), *metrics, self._rate(), duration(seconds)]
        self.say("   ".join(parts))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the bar away."""
        self._stop_bar()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away, whatever happened."""
        self._stop_bar()

    def show_previews(self, previews: Sequence[Preview], trainer: pl.Trainer) -> None:
        """Print samples in panels; figures are in the run folder.

        Args:
            previews: What the task shows.
            trainer: Says where training stands; within an epoch a line on it is printed first.
        """
        if self.quiet:
            return
        if self._reported_step != trainer.global_step:
            self._reported_step = trainer.global_step
            self.say(_progress_line(trainer, step=True))
        place = f"epoch {trainer.current_epoch}, step {trainer.global_step}"
        for preview in previews:
            if isinstance(preview, Figure):
                self.say(f"{preview.title or 'figure'}: {self._run.folder / 'samples'}")
            elif isinstance(preview, Table):
                self._out.print(_rich_table(preview))
            else:
                name = " · ".join(part for part in (preview.title, place) if part)
                self._out.print(Panel(RichText(_printable(preview.body)), title=escape(name)))

    # -- the end ------------------------------------------------------------------------------

    def finished(self, trainer: pl.Trainer, checkpointer: Checkpointer) -> None:
        """Print one table: best score, checkpoint, time; and the next command to try."""
        if self.quiet:
            return
        folder = checkpointer.folder(trainer)
        files = [folder / name for name in ("best.ckpt", "last.ckpt")]
        kept = next((file for file in files if file.is_file()), None)
        table = RichTable(box=box.ROUNDED, show_header=False, title="finished")
        early = trainer.early_stopping_callback
        if early is not None and early.stopped_epoch:
            table.add_row("stopped early", f"epoch {early.stopped_epoch}")
        if checkpointer.best_score is not None:
            table.add_row(f"best {_monitor(trainer)}", f"{checkpointer.best_score:.4f}")
        if kept is not None:
            table.add_row("checkpoint", RichText(str(kept), overflow="fold"))
        table.add_row("time", duration(time.monotonic() - self._started))
        self._out.print(table)
        if kept is not None:
            module = trainer.lightning_module
            example = module.task.example if isinstance(module, SequenceModule) else "--help"
            self.say(f"try: seqforge infer {shlex.quote(str(self._run.folder))} {example}")

    def stopped(self, reason: str, checkpoint: Path | None, command: str) -> None:
        """Say why training stopped, which checkpoint is good and how to go on."""
        self.say(reason)
        if checkpoint is not None and checkpoint.exists():
            self.say(f"checkpoint: {checkpoint}")
        self.say(f"to go on: {command}")

    def show_metrics(self, trainer: pl.Trainer) -> None:
        """Print the metrics of a validation or test, and what the task says of them."""
        table = Table(
            ("metric", "value"),
            [(name, f"{value.item():.6g}") for name, value in trainer.callback_metrics.items()],
        )
        if self.quiet or not table.rows:
            return
        self._out.print(_rich_table(table))
        module = trainer.lightning_module
        for remark in module.task.remarks() if isinstance(module, SequenceModule) else ():
            self.say(remark)

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._epoch_started, 1e-9)
        return f"{self._items / seconds:,.0f} {self._unit}"

    def _stop_bar(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._row = None


def describe(module: SequenceModule) -> str:
    """Return one line on what is trained: task, encoder, its sizes, number of parameters."""
    chosen = module.encoders.describe()["encoder"]
    sizes = [
        f"{title}: {value}"
        for name, title in (("hidden_size", "hidden size"), ("num_layers", "layers"))
        if (value := _argument(chosen, name)) is not None
    ]
    parameters = sum(parameter.numel() for parameter in module.parameters())
    parts = [type(module.task).__name__, f"encoder: {chosen['class'].__name__}", *sizes]
    return "   ".join([*parts, f"parameters: {parameters:,}"])


def duration(seconds: float) -> str:
    """Return a time as a reader wants it: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _argument(chosen: dict[str, Any], name: str) -> Any:
    parameter = inspect.signature(chosen["class"]).parameters.get(name)
    default = None if parameter is None else parameter.default
    return chosen["init_args"].get(name, default)


def _loss(module: pl.LightningModule) -> float:
    return module.step_loss.get("loss", float("nan")) if isinstance(module, SequenceModule) else 0.0


def _monitor(trainer: pl.Trainer) -> str:
    module = trainer.lightning_module
    return module.task.monitor[0] if isinstance(module, SequenceModule) else ""


def _target(trainer: pl.Trainer) -> str:
    epochs, steps = trainer.max_epochs, trainer.max_steps
    parts = [f"epochs: {epochs}"] if epochs is not None and epochs >= 0 else []
    parts += [f"steps: {steps}"] if steps >= 0 else []
    return "   ".join(parts) or "epochs: unlimited"


def _progress_line(trainer: pl.Trainer, step: bool = False) -> str:
    place = f"   step: {trainer.global_step}" if step else ""
    return (
        f"Epoch: {trainer.current_epoch}{place}   batch loss: {_loss(trainer.lightning_module):.3f}"
    )


def _printable(text: str) -> str:
    # What a network writes may hold any character of its training text, escape sequences too.
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def _rich_table(table: Table) -> RichTable:
    shown = RichTable(
        *[escape(str(column)) for column in table.columns], title=escape(table.title) or None
    )
    for row in table.rows:
        shown.add_row(*[escape(_printable(str(cell))) for cell in row])
    return shown
