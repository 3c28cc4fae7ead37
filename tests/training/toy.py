"""A task of a few lines for tests of training: predicts the mean of ragged rows of numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from seqforge import Batch, DataModule, EncoderFactory, Loss, Progress, Task, Term, Text
from seqforge.data import PlanLoader, SequentialPlan, ShuffledPlan
from seqforge.layers.masking import padding_mask
from seqforge.state import State


@dataclass(kw_only=True)
class Rows(Batch):
    values: Tensor  # (B, T)
    lengths: Tensor  # (B,)


class Toy(Task):
    """Predicts each next number of a row."""

    def __init__(self, factors: Mapping[str, float] | None = None, poison: int = -1) -> None:
        super().__init__()
        self.factors = dict(factors or {})
        self.poison = poison
        self.evaluated = 0

    def build(self, encoders: EncoderFactory, spec: Mapping[str, Any]) -> None:
        self.encoder = encoders(1, causal=True)
        self.head = nn.Linear(self.encoder.output_size, spec["outputs"])

    def learning_rates(self, progress: Progress) -> Mapping[str, float]:
        return self.factors

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        assert isinstance(batch, Rows)
        inputs, lengths = batch.values[:, :-1], batch.lengths - 1
        outputs, _ = self.encoder(inputs[..., None], lengths=lengths)
        errors = self.head(outputs).squeeze(2) - batch.values[:, 1:]
        real = ~padding_mask(lengths, inputs.size(1))
        total = errors[real].square().sum()
        if progress.step == self.poison:
            total = total * torch.nan
        return Loss({"loss": Term(total, real.sum())})

    def evaluate(self, batch: Batch) -> None:
        self.evaluated += len(batch.ids)

    def finish_evaluation(self) -> dict[str, float]:
        rows, self.evaluated = self.evaluated, 0
        return {"rows": float(rows)}

    def infer(self, inputs: Iterable[Any], options: Any) -> Iterator[Text]:
        for line in inputs:
            values = torch.tensor([[float(word) for word in line.split()]])
            with torch.inference_mode():
                outputs, _ = self.encoder(values[..., None])
                yield Text(repr(self.head(outputs)[0, -1].tolist()))


def collate(numbers: Sequence[int], rows: list[Tensor]) -> Rows:
    return Rows(
        ids=torch.tensor(numbers),
        values=nn.utils.rnn.pad_sequence(rows, batch_first=True),
        lengths=torch.tensor([len(row) for row in rows]),
    )


class ToyData(DataModule):
    """Ragged rows of 2 to 7 numbers."""

    def __init__(self, batch_size: int = 4, rows: int = 24, outputs: int = 1) -> None:
        super().__init__(batch_size)
        self.outputs = outputs
        draw = torch.Generator().manual_seed(3)
        self.rows = [torch.randn(2 + number * 5 % 6, generator=draw) for number in range(rows)]

    def spec(self) -> dict[str, Any]:
        return {"outputs": self.outputs}

    def train_dataloader(self) -> PlanLoader[Tensor]:
        return self.train_loader(self.rows, ShuffledPlan(len(self.rows), self.batch_size), collate)

    def val_dataloader(self) -> dict[str, PlanLoader[Tensor]]:
        return {
            "short": self.eval_loader(self.rows[:5], SequentialPlan(5, 2), collate),
            "long": self.eval_loader(self.rows[5:9], SequentialPlan(4, 3), collate),
        }


def toy_trainer(folder: Path, **options: Any) -> pl.Trainer:
    defaults: dict[str, Any] = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "devices": 1,
        "default_root_dir": folder,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": False,
        "num_sanity_val_steps": 0,
    }
    return pl.Trainer(**(defaults | options))
