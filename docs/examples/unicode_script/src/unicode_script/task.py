"""The task: read a name letter by letter, tell the script."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from seqforge import Batch, EncoderFactory, Loss, Progress, Task, Term, Text
from seqforge.layers import Head, final_output
from seqforge.task import NoOptions, Source, Spec
from seqforge.text import CharacterVocabulary, read_sources
from torch import Tensor, nn
from torchmetrics.classification import MulticlassConfusionMatrix

from .data import NameBatch, masked_name


class UnicodeScript(Task):
    """Tells a character's script from its Unicode name without the script's word.

    Args:
        embedding_size: Width of a letter's embedding.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/accuracy", "max")
    example: str = '"щ" "SMALL LETTER LAMDA"'

    def __init__(self, embedding_size: int = 32) -> None:
        super().__init__()
        self.embedding_size = embedding_size

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make embedding, encoder, head and the metric."""
        self.vocabulary = CharacterVocabulary.from_spec(spec["vocabulary"])
        self.scripts = list(spec["scripts"])
        self.embedding = nn.Embedding(len(self.vocabulary), self.embedding_size)
        self.encoder = encoders(self.embedding_size)
        self.head = Head(self.encoder.output_size, len(self.scripts))
        self.confusion = MulticlassConfusionMatrix(len(self.scripts))

    def logits(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Score the scripts `(B, S)` of names `(B, T)`."""
        outputs, _ = self.encoder(self.embedding(tokens), None, lengths)
        final = final_output(outputs, lengths, self.encoder.causal)
        scores: Tensor = self.head(final)
        return scores

    def loss(self, batch: Batch, state: Any, progress: Progress) -> Loss:
        """Return the summed cross-entropy and the number of names."""
        assert isinstance(batch, NameBatch)
        logits = self.logits(batch.tokens, batch.lengths)
        total = F.cross_entropy(logits, batch.scripts, reduction="sum")
        return Loss({"loss": Term(total, torch.tensor(len(batch.scripts)))})

    def evaluate(self, batch: Batch) -> None:
        """Count answers by the right one and the one given."""
        assert isinstance(batch, NameBatch)
        self.confusion.update(self.logits(batch.tokens, batch.lengths), batch.scripts)

    def finish_evaluation(self) -> dict[str, float]:
        """Return the accuracy, and that of always giving the most frequent script."""
        counts = self.confusion.compute().double()  # (S, S), rows are the right scripts
        self.confusion.reset()
        right, majority = counts.trace(), counts.sum(dim=1).max()
        return {
            "accuracy": (right / counts.sum()).item(),
            "majority": (majority / counts.sum()).item(),
        }

    @torch.inference_mode()
    def infer(self, inputs: Iterable[Source], options: NoOptions) -> Iterator[Text]:
        """Answer characters, or names without the script's word, one after the other."""
        device = self.head.weight.device
        for text in read_sources(inputs):
            name = masked_name(text) if len(text) == 1 else text.upper()
            tokens = torch.from_numpy(self.vocabulary.encode(name or " "))[None].to(device)
            lengths = torch.tensor([tokens.size(1)], device=device)
            chance, number = self.logits(tokens, lengths)[0].softmax(dim=0).max(dim=0)
            yield Text(f"{text}\t{name}\t{self.scripts[number]}\t{chance:.3f}")
