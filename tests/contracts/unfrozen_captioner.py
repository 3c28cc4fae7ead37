"""A captioner whose pretrained image network is set free after an epoch."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

import seqforge as sf
from seqforge.data import SequentialPlan, ShuffledPlan
from seqforge.decoding import StepOut, greedy
from seqforge.encoders import Bridge

WORDS = [torch.tensor([0, 1 + n % 4, 5 - n % 4 // 2, 0]) for n in range(48)]  # 0 begins and ends
PICTURES = [(torch.eye(8).roll(n % 4, 1)[None] + n / 48, WORDS[n]) for n in range(48)]


class UnfrozenCaptioner(sf.Task):
    def __init__(self, pretrained: str) -> None:
        super().__init__()
        self.pretrained = pretrained

    def build(self, encoders: sf.EncoderFactory, spec: Any) -> None:
        self.image = nn.Sequential(nn.Conv2d(1, 4, 4, 4), nn.BatchNorm2d(4), nn.Flatten()).eval()
        self.embedding = nn.Embedding(spec["words"], 16)
        self.decoder = encoders(16, role="decoder", causal=True)
        self.bridge = Bridge(self.decoder, 16)
        self.head = nn.Linear(self.decoder.output_size, spec["words"])

    def initialise(self) -> None:
        self.image.load_state_dict(torch.load(self.pretrained, weights_only=True))

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.image.eval()  # BatchNorm keeps its statistics, set free or not
        return self

    def learning_rates(self, progress: sf.Progress) -> dict[str, float]:
        return {"image": 0.0 if progress.epoch < 1 else 0.1}

    def loss(self, batch: Any, state: Any, progress: sf.Progress) -> sf.Loss:
        with torch.set_grad_enabled(torch.is_grad_enabled() and progress.epoch >= 1):
            features = self.image(batch.images)  # (B, 16)
        inputs, targets = batch.captions[:, :-1], batch.captions[:, 1:]  # (B, T)
        outputs, _ = self.decoder(self.embedding(inputs), self.bridge(features))
        logits = self.head(outputs).transpose(1, 2)  # (B, V, T)
        total = nn.functional.cross_entropy(logits, targets, reduction="sum")
        return sf.Loss({"loss": sf.Term(total, torch.tensor(targets.numel()))})

    def step(self, tokens: Tensor, state: Any) -> StepOut:
        outputs, state = self.decoder.step(self.embedding(tokens), state)
        return StepOut(self.head(outputs).log_softmax(dim=1), state)

    def infer(self, inputs: Any, options: Any) -> Any:
        for path in inputs:
            state = self.bridge(self.image(torch.load(path, weights_only=True)[None]))
            words = greedy(self.step, torch.tensor([0]), state, length=5, end=0)
            yield sf.Text(str(words[0].tolist()))


@dataclass
class Captions(sf.Batch):
    images: Tensor  # (B, 1, 8, 8)
    captions: Tensor  # (B, T + 1)


def collate(numbers: Any, pairs: Any) -> Captions:
    images, captions = (torch.stack(each) for each in zip(*pairs, strict=True))
    return Captions(images, captions, ids=torch.tensor(numbers))


class Pictures(sf.DataModule):
    def spec(self) -> dict[str, Any]:
        return {"words": 6}

    def train_dataloader(self) -> Any:
        return self.train_loader(PICTURES, ShuffledPlan(48, self.batch_size), collate)

    def val_dataloader(self) -> dict[str, Any]:
        return {"val": self.eval_loader(PICTURES[37:], SequentialPlan(11, 3), collate)}
