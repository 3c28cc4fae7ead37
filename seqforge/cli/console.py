"""What a user sees while training: a header, a progress bar, samples, one table at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich import box
from rich.console import Console as RichConsole
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text as RichText

from seqforge.data.lanes import TokenBatch
from seqforge.task import Figure, Preview, Table
from seqforge.training.previews import as_text
from seqforge.training.sequence_module import SequenceModule


class Console(pl.Callback):
    """Writes to the terminal, on the first process only.

    Args:
        bar: Show a progress bar where there is a terminal; off it, epochs are single lines.
    """

    def __init__(self, bar: bool = True) -> None:
        self._out = RichConsole(highlight=False)
        self._bar = bar
        self._progress: Progress | None = None
        self._row: Any = None
        self._items = 0
        self._started = self._epoch_started = time.monotonic()
        self._folder = Path()
        self._quiet = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Fall silent on all processes but the first."""
        self._quiet = not trainer.is_global_zero

    def say(self, line: str) -> None:
        """Print a line as it is."""
        if not self._quiet:
            self._out.print(line, markup=False, soft_wrap=True)

    # -- training -----------------------------------------------------------------------------

    def start(self, folder: Path, note: str) -> None:
        """Remember the run folder and print what was decided about it."""
        self._folder = folder
        self._note = note

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print what is trained: sizes, batches, precision, folder."""
        self._started = time.monotonic()
        if self._note:
            self.say(self._note)
        if isinstance(pl_module, SequenceModule):
            self.say(describe(pl_module))
        self.say(
            f"batches: {trainer.num_training_batches} an epoch   epochs: {trainer.max_epochs}   "
            f"precision: {trainer.precision}   processes: {trainer.world_size}"
        )
        self.say(f"run: {self._folder}")
        if self._bar and self._out.is_terminal and not self._quiet:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TextColumn("loss {task.fields[loss]}"),
                RateColumn(),
                TimeRemainingColumn(),
                console=self._out,
                transient=True,
            )
            self._progress.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin an epoch's bar."""
        self._epoch_started, self._items = time.monotonic(), 0
        if self._progress is not None:
            if self._row is not None:
                self._progress.remove_task(self._row)
            self._row = self._progress.add_task(
                f"epoch {trainer.current_epoch}",
                total=int(trainer.num_training_batches),
                completed=trainer.fit_loop.batch_idx + 1 if trainer.fit_loop.restarting else 0,
                loss="-",
                rate="",
            )

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advance the bar."""
        self._items += _items(batch) * trainer.world_size
        if self._progress is None or self._row is None:
            return
        rate = self._items / max(time.monotonic() - self._epoch_started, 1e-9)
        unit = "tokens/s" if isinstance(batch, TokenBatch) else "items/s"
        self._progress.update(
            self._row,
            completed=batch_idx + 1,
            loss=f"{_loss(pl_module):.3f}",
            rate=f"{rate:,.0f} {unit}",
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the epoch's line: number, batch loss, validation, time."""
        metrics = "   ".join(
            f"{name}: {value.item():.4g}"
            for name, value in sorted(trainer.callback_metrics.items())
            if name.startswith("val/")
        )
        seconds = time.monotonic() - self._epoch_started
        self.say(
            f"Epoch: {trainer.current_epoch}   batch loss: {_loss(pl_module):.3f}   {metrics}   "
            f"{seconds:.0f} s"
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the bar away."""
        self._stop_bar()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away, whatever happened."""
        self._stop_bar()

    def show_previews(self, previews: Sequence[Preview], title: str) -> None:
        """Print samples in panels; figures are in the run folder."""
        if self._quiet:
            return
        for preview in previews:
            if isinstance(preview, Figure):
                self.say(f"{preview.title or 'figure'}: {self._folder / 'samples'}")
            elif isinstance(preview, Table):
                self._out.print(_rich_table(preview))
            else:
                name = " · ".join(part for part in (preview.title, title) if part)
                self._out.print(Panel(RichText(as_text(preview)), title=escape(name)))

    # -- the end ------------------------------------------------------------------------------

    def finished(self, trainer: pl.Trainer, checkpointer: Any) -> None:
        """Print one table: best score, checkpoint, time, the next command to try."""
        if self._quiet:
            return
        folder = checkpointer.folder(trainer)
        best = folder / "best.ckpt"
        kept = best if best.exists() else folder / "last.ckpt"
        table = RichTable(box=box.ROUNDED, show_header=False, title="finished")
        if checkpointer.best_score is not None:
            table.add_row(f"best {_monitor(trainer)}", f"{checkpointer.best_score:.4f}")
        table.add_row("checkpoint", str(kept))
        table.add_row("time", _duration(time.monotonic() - self._started))
        module = trainer.lightning_module
        example = module.task.example if isinstance(module, SequenceModule) else "--help"
        self._out.print(table)
        self.say(f"try: seqforge infer {kept.parent.parent} {example}")

    def stopped(self, reason: str, checkpoint: Path | None, command: str) -> None:
        """Say why training stopped, which checkpoint is good and how to go on."""
        self.say(reason)
        if checkpoint is not None and checkpoint.exists():
            self.say(f"checkpoint: {checkpoint}")
        self.say(f"to go on: {command}")

    def show_metrics(self, trainer: pl.Trainer) -> None:
        """Print the metrics of a validation or test."""
        table = Table(
            ("metric", "value"),
            [(name, f"{value.item():.6g}") for name, value in trainer.callback_metrics.items()],
        )
        if not self._quiet and table.rows:
            self._out.print(_rich_table(table))

    def _stop_bar(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._row = None


class RateColumn(ProgressColumn):
    """Items a second, as the callback measured them."""

    def render(self, task: Task) -> RichText:
        """Return the rate's text."""
        return RichText(str(task.fields["rate"]))


def describe(module: SequenceModule) -> str:
    """Return one line on what is trained: task, encoder, its sizes, number of parameters."""
    chosen = module.encoders.describe()["encoder"]
    encoder = chosen["class"].__name__
    sizes = [
        f"{name.replace('_', ' ')}: {value}"
        for name in ("hidden_size", "num_layers")
        if (value := _argument(chosen, name)) is not None
    ]
    parameters = sum(parameter.numel() for parameter in module.parameters())
    parts = [type(module.task).__name__, encoder, *sizes, f"parameters: {parameters:,}"]
    return "   ".join(parts)


def _argument(chosen: dict[str, Any], name: str) -> Any:
    import inspect

    parameter = inspect.signature(chosen["class"]).parameters.get(name)
    default = None if parameter is None else parameter.default
    return chosen["init_args"].get(name, default)


def _items(batch: Any) -> int:
    if isinstance(batch, TokenBatch):
        return batch.inputs.numel()
    return len(batch.ids)


def _loss(module: pl.LightningModule) -> float:
    return module.step_loss.get("loss", float("nan")) if isinstance(module, SequenceModule) else 0.0


def _monitor(trainer: pl.Trainer) -> str:
    module = trainer.lightning_module
    return module.task.monitor[0] if isinstance(module, SequenceModule) else ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _rich_table(table: Table) -> RichTable:
    shown = RichTable(*[str(column) for column in table.columns], title=table.title or None)
    for row in table.rows:
        shown.add_row(*[escape(str(cell)) for cell in row])
    return shown
