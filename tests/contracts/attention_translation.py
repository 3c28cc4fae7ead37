"""Attention encoder-decoder with input feeding (Luong et al. 2015); it learns to reverse digits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import nll_loss, pad
from torch.nn.utils.rnn import pad_sequence

import seqforge as sf
from seqforge.data import SequentialPlan, ShuffledPlan
from seqforge.decoding import StepOut, greedy
from seqforge.encoders import Bridge
from seqforge.layers.masking import final_output
from seqforge.state import Fixed, State

END, PAD, SYMBOLS = 10, 11, 12


class AttentionTranslation(sf.Task):
    def build(self, encoders: sf.EncoderFactory, spec: Any) -> None:
        self.embedding, self.head = nn.Embedding(SYMBOLS, 16), nn.Linear(16, SYMBOLS)
        self.encoder = encoders(16, causal=False)
        self.decoder = encoders(32, role="decoder", causal=True)
        memory, outputs = self.encoder.output_size, self.decoder.output_size
        self.bridge = Bridge(self.decoder, memory)
        self.score, self.attend = nn.Linear(outputs, memory), nn.Linear(memory + outputs, 16)

    def read(self, sources: Tensor) -> State:
        lengths = (sources != PAD).sum(dim=1)
        memory, _ = self.encoder(self.embedding(sources), lengths=lengths)  # (B, S, M)
        recurrent = self.bridge(final_output(memory, lengths, self.encoder.causal))
        return recurrent, memory.new_zeros(len(sources), 16), Fixed((memory, sources == PAD))

    def step(self, tokens: Tensor, state: State) -> StepOut:
        recurrent, fed, source = state
        inputs = torch.cat([self.embedding(tokens), fed], dim=1)
        outputs, recurrent = self.decoder.step(inputs, recurrent)  # (B, H)
        scores = torch.einsum("bsm,bm->bs", source.value[0], self.score(outputs))
        weights = scores.masked_fill(source.value[1], -torch.inf).softmax(dim=1)
        context = torch.einsum("bsm,bs->bm", source.value[0], weights)
        fed = torch.tanh(self.attend(torch.cat([context, outputs], dim=1)))
        return StepOut(self.head(fed).log_softmax(dim=1), (recurrent, fed, source), weights)

    def loss(self, batch: Any, state: State, progress: sf.Progress) -> sf.Loss:
        state, scores = self.read(batch.sources), list[Tensor]()
        for tokens in pad(batch.targets[:, :-1], (1, 0), value=END).T:
            out = self.step(tokens, state)
            state, scores = out.state, [*scores, out.log_probs]
        total = nll_loss(torch.stack(scores, 2), batch.targets, ignore_index=PAD, reduction="sum")
        return sf.Loss({"loss": sf.Term(total, (batch.targets != PAD).sum())})

    def infer(self, inputs: Any, options: Any) -> Any:
        sources = pairs([0], list(inputs)).sources
        first = torch.full_like(sources[:, 0], END)
        for tokens in greedy(self.step, first, self.read(sources), length=8, end=END).tolist():
            yield sf.Text("".join(str(token) for token in tokens if token != END))


@dataclass
class Pairs(sf.Batch):
    sources: Tensor  # (B, S): the digits, END, then PAD
    targets: Tensor  # (B, T): the digits backwards, END, then PAD


def pairs(numbers: Any, lines: list[Any]) -> Pairs:
    ways = ([torch.tensor([*map(int, str(line)[::way]), END]) for line in lines] for way in (1, -1))
    return Pairs(*(pad_sequence(way, True, PAD) for way in ways), ids=torch.tensor(numbers))


class Digits(sf.DataModule):
    def spec(self) -> dict[str, Any]:
        return {}

    def train_dataloader(self) -> Any:
        return self.train_loader(range(11, 99999, 1501), ShuffledPlan(60, self.batch_size), pairs)

    def val_dataloader(self) -> dict[str, Any]:
        return {"val": self.eval_loader(range(90001, 99999, 833), SequentialPlan(12, 8), pairs)}
