"""The encoder-decoder network: embeddings, a source encoder, an attention decoder, a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seqforge.attention import (
    AttentionDecoder,
    Decoded,
    DecoderState,
    make_attention,
    never_mask,
)
from seqforge.data import Draw
from seqforge.encoders import Encoder, EncoderFactory
from seqforge.layers import AdaptiveHead, CrossEntropy, Dropout, Head, TokenHead, final_output

EMBEDDING_SPREAD = 0.5
"""Standard deviation of embeddings at the start. Recurrent layers must tell words apart before they
can learn anything else: with the inverse root of the width, 0.09, which suits a head that shares
the weights, the same exact match took more than five times the steps."""


@dataclass(frozen=True)
class NetworkOptions:
    """How the network is made; see `Translation` for the meanings."""

    embedding_size: int
    attention: str
    input_feeding: bool
    writer: bool
    bidirectional: bool
    tied_embeddings: bool
    dropout: float
    feature_size: int | None = None
    adaptive_cutoffs: list[int] | None = None


class EncoderDecoder(nn.Module):
    """Reads a source sentence both ways and writes a target sentence, looking back at each word.

    Bahdanau et al. 2014, with the attention behind the recurrent step as in Luong et al. 2015.

    Args:
        encoders: Makes the source encoder (role "encoder"), the decoder (role "decoder") and, if
            asked for, its second layer (role "writer").
        source_size: Words in the source vocabulary.
        target_size: Words in the target vocabulary; None: the source's vocabulary is used.
        never: Numbers of target words that are never written, such as padding.
        options: How the network is made.
    """

    never: Tensor

    def __init__(
        self,
        encoders: EncoderFactory,
        source_size: int,
        target_size: int | None,
        never: tuple[int, ...],
        options: NetworkOptions,
    ) -> None:
        super().__init__()
        size = options.embedding_size
        features = options.feature_size or size
        joint = target_size is None and options.tied_embeddings
        words = source_size if target_size is None else target_size
        self.source_embedding = _embedding(source_size, size)
        self.target_embedding = self.source_embedding if joint else _embedding(words, size)
        self.dropout = Dropout(options.dropout)
        causal = None if not options.bidirectional else False
        self.encoder: Encoder = encoders(size, role="encoder", causal=causal)
        fed = features if options.input_feeding else 0
        reader = encoders(size + fed, role="decoder", causal=True)
        attention = make_attention(options.attention, reader.output_size, self.encoder.output_size)
        writer = None
        if options.writer:
            joined = reader.output_size + self.encoder.output_size
            writer = encoders(joined, role="writer", causal=True)
        self.decoder = AttentionDecoder(
            reader,
            attention,
            features,
            writer=writer,
            input_feeding=options.input_feeding,
            dropout=options.dropout,
        )
        tied = options.tied_embeddings and features == size
        self.head = _head(features, words, self.target_embedding if tied else None, options)
        self.never_written = never
        self.register_buffer("never", never_mask(never, torch.zeros(words)), persistent=False)

    @property
    def written_embedding(self) -> nn.Embedding:
        """The embedding of the target words."""
        return self.target_embedding

    def encode(self, source: Tensor, lengths: Tensor) -> DecoderState:
        """Read sources and return the state in which their translations begin.

        Args:
            source: `(B, S)` int64, right-padded.
            lengths: `(B,)` int64, at least 1.
        """
        outputs, _ = self.encoder(self.dropout(self.source_embedding(source)), None, lengths)
        summary = final_output(outputs, lengths, self.encoder.causal)
        return self.decoder.start(self.decoder.attention.remember(outputs, lengths), summary)

    def decode(self, inputs: Tensor, state: DecoderState, lengths: Tensor) -> Decoded:
        """Read known targets, `(B, T)`, each token from those before it."""
        embedded = self.dropout(self.target_embedding(inputs))
        decoded: Decoded = self.decoder(embedded, state, lengths)
        return decoded

    def decode_sampled(self, inputs: Tensor, state: DecoderState, own: Tensor) -> Decoded:
        """Read known targets in which some tokens are replaced by the network's own choice.

        Scheduled sampling (Bengio et al. 2015): what replaces a token is drawn from the network's
        distribution after what it has read so far. No gradient passes through the choice.

        Args:
            inputs: `(B, T)`.
            state: From `encode`.
            own: `(B, T)` float, where in [0, 1) the draw falls; NaN keeps the known token.
        """
        embedded = self.dropout(self.target_embedding(inputs))

        def choose(features: Tensor, t: int) -> Tensor:
            with torch.no_grad():
                mass = self.logits(features).softmax(dim=1).cumsum(dim=1)  # (B, V)
                place = own[:, t : t + 1].nan_to_num(0.0) * mass[:, -1:]
                drawn = torch.searchsorted(mass, place, right=True).squeeze(1)
                drawn = drawn.clamp(max=mass.size(1) - 1)
            replaced = self.dropout(self.target_embedding(drawn))
            return torch.where(own[:, t : t + 1].isnan(), embedded[:, t], replaced)

        return self.decoder.unroll(embedded, state, choose)

    def logits(self, features: Tensor) -> Tensor:
        """Return scores `(…, V)` of the next word; hugely negative for what is never written."""
        scores: Tensor = self.head(features)
        return scores + self.never

    def cross_entropy(self, features: Tensor, targets: Tensor, smoothing: float) -> CrossEntropy:
        """Return the cross-entropy of targets `(N,)`, predicted from features `(N, F)`."""
        return self.head.cross_entropy(features, targets, smoothing=smoothing, never=self.never < 0)


def own_choices(ids: Tensor, time: int, share: float, seed: int, epoch: int) -> Tensor:
    """Draw where scheduled sampling takes the network's own choice, and which.

    Args:
        ids: `(B,)` global sample numbers; with seed and epoch all that the draws depend on.
        time: `T`.
        share: Probability that a token is replaced.
        seed: The run's seed.
        epoch: The epoch.

    Returns:
        `(B, T)` float32: NaN where the known token is read, else a number in [0, 1).
    """
    rows = []
    for number in ids.tolist():
        generator = Draw(seed, epoch, max(0, number)).generator()  # below 0: it fills a batch
        # Step by step, so that a longer neighbour in the batch changes nothing.
        coins = torch.from_numpy(generator.random((time, 2), dtype=np.float32))
        rows.append(torch.where(coins[:, 0] < share, coins[:, 1], torch.nan))
    return torch.stack(rows).to(ids.device)


def _head(
    features: int, words: int, tied: nn.Embedding | None, options: NetworkOptions
) -> TokenHead:
    if options.adaptive_cutoffs is not None:
        return AdaptiveHead(features, words, options.adaptive_cutoffs)
    head = Head(features, words)
    nn.init.zeros_(head.bias)
    if tied is not None:  # Press and Wolf 2017
        head.weight = tied.weight
    return head


def _embedding(words: int, size: int) -> nn.Embedding:
    embedding = nn.Embedding(words, size)
    nn.init.normal_(embedding.weight, std=EMBEDDING_SPREAD)
    return embedding
