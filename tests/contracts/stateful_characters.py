"""A character model whose state is carried from batch to batch over contiguous lanes."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge import DataModule, EncoderFactory, Loss, Piece, Progress, Task, Term
from seqforge.data import Batch, Lanes, PlanLoader, TokenBatch, TokenChunk
from seqforge.decoding import StepOut, sample
from seqforge.layers.masking import padding_mask
from seqforge.state import State
from seqforge.task import Source, Spec
from seqforge.text import CharacterVocabulary, read_sources


class StatefulCharacters(Task):
    def __init__(self, embedding_size: int = 16) -> None:
        super().__init__()
        self.embedding_size = embedding_size

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        self.vocabulary = CharacterVocabulary.from_spec(spec["vocabulary"])
        self.embedding = nn.Embedding(len(self.vocabulary), self.embedding_size)
        self.encoder = encoders(self.embedding_size, causal=True)
        self.head = nn.Linear(self.encoder.output_size, len(self.vocabulary))

    def start(self, batch_size: int) -> State:
        return self.encoder.start(batch_size)

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        assert isinstance(batch, TokenBatch)
        outputs, state = self.encoder(self.embedding(batch.inputs), state, batch.lengths)
        real = ~padding_mask(batch.lengths, batch.inputs.size(1))  # (B, T)
        total = F.cross_entropy(self.head(outputs)[real], batch.targets[real], reduction="sum")
        return Loss({"loss": Term(total, real.sum())}, state)

    def infer(self, inputs: Iterable[Source], options: Any) -> Iterator[Piece]:
        for prompt in read_sources(inputs, whole=True):
            tokens = torch.from_numpy(self.vocabulary.encode(prompt))
            yield Piece(prompt)
            for sampled in sample(self.step, tokens[:1], self.read(tokens), length=20):
                yield Piece(self.vocabulary.decode(sampled.tokens.tolist()))
            yield Piece("", last=True)

    @torch.inference_mode()
    def read(self, tokens: Tensor) -> State:
        return self.encoder(self.embedding(tokens[None]))[1]

    def step(self, tokens: Tensor, state: State) -> StepOut:
        outputs, state = self.encoder.step(self.embedding(tokens), state)
        return StepOut(self.head(outputs).log_softmax(dim=1), state)


class Characters(DataModule):
    def __init__(self, text: str, seq_len: int = 10, batch_size: int = 4) -> None:
        super().__init__(batch_size)
        cut = len(text) * 9 // 10
        self.vocabulary = CharacterVocabulary.of(text)
        encode = self.vocabulary.encode
        self.train = Lanes(encode(text[:cut]), batch_size, seq_len)
        self.validation = Lanes(encode(text[cut:]), 3, seq_len, whole=True)

    def spec(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary.spec()}

    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        return self.train_loader(self.train, self.train.plan, Lanes.collate)

    def val_dataloader(self) -> dict[str, PlanLoader[TokenChunk]]:
        lanes = self.validation
        return {"stateful": self.eval_loader(lanes, lanes.plan, Lanes.collate)}


def random_text(size: int, symbols: str = "abcd", seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list(symbols), size))
