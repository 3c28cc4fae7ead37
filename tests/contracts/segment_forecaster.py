"""Segment-wise recurrent forecasting with parallel decoding (SegRNN, Lin et al. 2023)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchmetrics import MeanSquaredError

import seqforge as sf
from seqforge.data import SequentialPlan, ShuffledPlan
from seqforge.state import State, repeat

CONTEXT, SEGMENT, STEPS = 16, 4, 2


class SegmentForecaster(sf.Task):
    monitor: ClassVar[tuple[str, str]] = ("val/mse", "min")
    full_precision: ClassVar[bool] = True
    scale: Tensor  # mean, deviation

    def build(self, encoders: sf.EncoderFactory, spec: Any) -> None:
        self.embedding = nn.Sequential(nn.Linear(SEGMENT, spec["size"]), nn.ReLU())
        self.encoder = encoders(spec["size"], causal=True)
        self.positions = nn.Parameter(torch.randn(STEPS, spec["size"]))
        self.head = nn.Linear(self.encoder.output_size, SEGMENT)
        self.register_buffer("scale", torch.tensor([0.0, 1.0]))
        self.error = MeanSquaredError()

    def prepare(self, data: Any) -> None:
        self.scale.copy_(torch.stack([data.values[:110].mean(), data.values[:110].std()]))

    def forward(self, past: Tensor) -> Any:
        segments = ((past - self.scale[0]) / self.scale[1]).unflatten(1, (-1, SEGMENT))
        _, state = self.encoder(self.embedding(segments))
        outputs, _ = self.encoder.step(self.positions.repeat(len(past), 1), repeat(state, STEPS))
        return self.head(outputs).reshape(len(past), -1) * self.scale[1] + self.scale[0]

    def loss(self, batch: Any, state: State, progress: sf.Progress) -> sf.Loss:
        errors = (self(batch.past) - batch.future) / self.scale[1]
        return sf.Loss({"loss": sf.Term(errors.abs().sum(), torch.tensor(errors.numel()))})

    def evaluate(self, batch: Any) -> None:
        self.error.update(self(batch.past), batch.future)

    def finish_evaluation(self) -> dict[str, float]:
        value = self.error.compute().item()
        self.error.reset()
        return {"mse": value}

    @torch.inference_mode()
    def infer(self, inputs: Any, options: Any) -> Any:
        for line in inputs:
            past = torch.tensor([[float(word) for word in line.split()]]).to(self.scale)
            yield sf.Table(("step", "value"), list(enumerate(self(past)[0].tolist(), start=1)))


@dataclass(kw_only=True)
class Windows(sf.Batch):
    past: Tensor  # (B, CONTEXT)
    future: Tensor  # (B, STEPS * SEGMENT)


def collate(numbers: Any, windows: Any) -> Windows:
    past, future = (torch.stack(part) for part in zip(*windows, strict=True))
    return Windows(ids=torch.tensor(numbers), past=past, future=future)


class Series(sf.DataModule):
    values = (20 + 3 * torch.sin(torch.arange(200.0) / 3)).unfold(0, 24, 1)
    windows: ClassVar = [value.split([CONTEXT, STEPS * SEGMENT]) for value in values]

    def spec(self) -> dict[str, Any]:
        return {"size": 12}

    def train_dataloader(self) -> Any:
        return self.train_loader(self.windows, ShuffledPlan(110, self.batch_size), collate)

    def val_dataloader(self) -> dict[str, Any]:
        return {"val": self.eval_loader(self.windows[134:], SequentialPlan(43, 8), collate)}
