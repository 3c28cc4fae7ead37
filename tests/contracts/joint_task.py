"""Two tasks learnt together: a language model and a classifier that share one encoder."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import seqforge as sf
from seqforge.data import Lanes, PlanLoader, TokenBatch, TokenChunk
from seqforge.layers.masking import final_output
from seqforge.state import State

TOKENS = np.random.default_rng(0).integers(0, 3, 600).cumsum() % 5


class ManyToOne(sf.Task):
    def build(self, encoders: sf.EncoderFactory, spec: Any) -> None:
        self.embedding = nn.Embedding(spec["symbols"], 16)
        self.encoder = encoders(16, causal=True)
        self.head = nn.Linear(self.encoder.output_size, 2)

    def loss(self, batch: Any, state: State, progress: sf.Progress) -> sf.Loss:
        outputs, _ = self.encoder(self.embedding(batch.inputs), lengths=batch.lengths)
        logits = self.head(final_output(outputs, batch.lengths, self.encoder.causal))
        total = nn.functional.cross_entropy(logits, batch.labels, reduction="sum")
        return sf.Loss({"loss": sf.Term(total, torch.tensor(len(batch.labels)))})


class JointTask(sf.Task):
    def __init__(self, text: sf.Task, label: sf.Task, weight: float = 4.0) -> None:
        super().__init__()
        self.text, self.label, self.weight = text, label, weight

    def build(self, encoders: sf.EncoderFactory, spec: Any) -> None:
        shared = encoders.shared()
        self.text.build(shared, spec)
        self.label.build(shared, spec)

    def start(self, batch_size: int) -> State:
        return self.text.start(batch_size)

    def loss(self, batch: Any, state: State, progress: sf.Progress) -> sf.Loss:
        text = self.text.loss(batch, state, progress)
        label = self.label.loss(batch, None, progress).terms["loss"]
        terms = {"text": text.terms["loss"], "label": replace(label, weight=self.weight)}
        return sf.Loss(terms, text.state)

    def infer(self, inputs: Any, options: Any) -> Any:
        yield from self.text.infer(inputs, options)


@dataclass(kw_only=True)
class Labelled(TokenBatch):
    labels: Tensor  # (B,): whether most tokens of the row are even


def collate(numbers: Any, chunks: list[TokenChunk]) -> Labelled:
    batch = Lanes.collate(numbers, chunks)
    labels = (batch.inputs % 2 == 0).double().mean(dim=1) > 0.5
    return Labelled(**vars(batch), labels=labels.long())


class LabelledLanes(sf.DataModule):
    def spec(self) -> dict[str, Any]:
        return {"symbols": 5, "vocabulary": {"kind": "characters", "characters": "abcd"}}

    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        lanes = Lanes(TOKENS[:500], self.batch_size, 10)
        return self.train_loader(lanes, lanes.plan, collate)

    def val_dataloader(self) -> dict[str, PlanLoader[TokenChunk]]:
        lanes = Lanes(TOKENS[500:], 3, 10, whole=True)
        return {"stateful": self.eval_loader(lanes, lanes.plan, collate)}
