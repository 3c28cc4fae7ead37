"""The captioning network: an image encoder, an attention decoder, a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from seqforge.attention import (
    AttentionDecoder,
    Decoded,
    DecoderState,
    Memory,
    NoAttention,
    make_attention,
    never_mask,
)
from seqforge.encoders import Encoder, EncoderFactory
from seqforge.layers import Dropout, Head, final_output, padding_mask
from seqforge.vision import (
    ImageEncoder,
    PooledImageEncoder,
    Pooling,
    frozen_features,
    pooled,
    pooled_size,
)
from seqforge_tasks.captioning.seen import Seen

EMBEDDING_LENGTH = 2.0
"""Length of an embedding at the start: recurrent layers must tell words apart, but as weights of
the head long embeddings make it jump."""

REGION_SPREAD = 0.25
"""Standard deviation of a region's elements at the start."""

Conditioning = Literal["both", "start", "attention"]


@dataclass(frozen=True)
class NetworkOptions:
    """How the network is made; see `Captioning` for the meanings."""

    conditioning: Conditioning
    attention: str
    gate: bool
    pooling: Pooling
    shortcut: bool
    input_feeding: bool
    writer: bool
    embedding_size: int
    region_size: int
    feature_size: int | None
    tied_embeddings: bool
    dropout: float
    word_dropout: float


class CaptioningNetwork(nn.Module):
    """Looks at a picture or a clip and writes a caption, word by word.

    The features of the regions, pooled, start the decoder's state (Vinyals et al. 2015); mapped to
    `region_size` they are attended to at every step (Xu et al. 2015); or both. With a shortcut, a
    linear map of the pooled features is added to what predicts each word.

    Of a clip an encoder over time reads the features of the frames. Its outputs take the place of
    the regions, so that the decoder attends to moments (Yao et al. 2015), and its last output that
    of the pooled features: what S2VT starts from (Venugopalan et al. 2015).

    Args:
        image: The image encoder, built; of clips a pooled one.
        encoders: Makes the decoder (role "decoder"); if asked for, its second layer (role
            "writer"); and of clips the encoder over time (role "frames").
        clips: Whether it looks at clips.
        words: Words in the vocabulary.
        never: Numbers of words that are never written, such as padding.
        frozen: Whether the image encoder is never trained.
        options: How the network is made.
    """

    never: Tensor

    def __init__(
        self,
        image: ImageEncoder,
        encoders: EncoderFactory,
        clips: bool,
        words: int,
        never: tuple[int, ...],
        frozen: bool,
        options: NetworkOptions,
    ) -> None:
        super().__init__()
        # Where it is trained, what its features do not depend on may rest all the same.
        self.image = image.requires_grad_(False) if frozen else image
        self.frozen = frozen
        self.conditioning = options.conditioning
        self.pooling = options.pooling
        size, regions = options.embedding_size, options.region_size
        features = options.feature_size or size
        self.frames: Encoder | None = None
        width = image.feature_size
        summary = pooled_size(width, options.pooling)
        if clips:
            self.frames = encoders(width, role="frames")
            width = summary = self.frames.output_size
        blind = options.conditioning == "start"
        # No weights that nothing depends on: processes would wait for their gradients.
        self.project = nn.Identity() if blind else _projection(width, regions)
        self.embedding = nn.Embedding(words, size)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_LENGTH / size**0.5)
        self.dropout = Dropout(options.dropout)
        self.word_dropout = options.word_dropout
        fed = features if options.input_feeding else 0
        reader = encoders(size + fed, role="decoder", causal=True)
        self.decoder = AttentionDecoder(
            reader,
            NoAttention(reader.output_size)
            if blind
            else make_attention(options.attention, reader.output_size, regions),
            features,
            writer=encoders(reader.output_size + regions * (not blind), role="writer", causal=True)
            if options.writer
            else None,
            input_feeding=options.input_feeding,
            dropout=options.dropout,
            context_size=summary,
            gate=options.gate and not blind,
        )
        self.shortcut = nn.Linear(summary, features, bias=False) if options.shortcut else None
        self.head = Head(features, words)
        nn.init.zeros_(self.head.bias)
        if options.tied_embeddings and features == size:  # Press and Wolf 2017
            self.head.weight = self.embedding.weight
        self.never_written = never
        self.register_buffer("never", never_mask(never, self.head.bias.detach()), persistent=False)

    def train(self, mode: bool = True) -> Self:
        """Switch between training and evaluation; pretrained image encoders stay in evaluation.

        Their batch statistics are those of the pictures that they were trained on.
        """
        super().train(mode)
        if self.image.pretrained:
            self.image.eval()
        return self

    @property
    def written_embedding(self) -> nn.Embedding:
        """The embedding of the words that are written."""
        return self.embedding

    def features(self, pictures: Tensor, train_image: bool = False) -> Tensor:
        """Return the features of pictures' regions, `(N, P, C)`; of a pooled encoder `(N, 1, C)`.

        Args:
            pictures: `(N, 3, S, S)` uint8.
            train_image: Whether gradients reach the image encoder.
        """
        if self.frozen:
            return frozen_features(self.image, pictures)
        with torch.set_grad_enabled(train_image and torch.is_grad_enabled()):
            features: Tensor = self.image(pictures)
        return features

    def see(
        self, pictures: Tensor, frames: Tensor | None = None, train_image: bool = False
    ) -> Seen:
        """Return what the image encoder makes of pictures or clips.

        Args:
            pictures: `(N, 3, S, S)` uint8; or clips, `(N, F, 3, S, S)`.
            frames: `(N,)` int64, the frames of each clip; None: they are pictures.
            train_image: Whether gradients reach the image encoder.
        """
        if frames is None:
            return Seen(self.features(pictures, train_image))
        real = ~padding_mask(frames, pictures.size(1))  # (N, F)
        found = self.features(pictures[real], train_image).squeeze(1)  # (frames of all, C)
        features = found.new_zeros(*real.shape, found.size(1))  # (N, F, C)
        return Seen(features.masked_scatter(real.unsqueeze(2), found), frames)

    def look(self, seen: Seen, places: Tensor | None = None) -> DecoderState:
        """Return the state in which captions begin.

        Args:
            seen: Features of N pictures or clips.
            places: `(B,)` int64, the picture of each caption; None: one caption for each picture.
        """
        parts, summary = self._parts(seen)
        memory = self._memory(parts, seen.frames)
        summary = self.dropout(summary)  # (N, C')
        if self.conditioning == "attention":
            summary = torch.zeros_like(summary)
        if places is not None:
            # Once for each picture up to here, however many of its captions there are.
            memory, summary = Memory(*(part[places] for part in memory)), summary[places]
        added = None if self.shortcut is None else self.shortcut(summary)
        return self.decoder.start(memory, summary, added)

    def _memory(self, parts: Tensor, frames: Tensor | None) -> Memory:
        """Return what the decoder looks at, of parts `(N, P, C)`."""
        attention = self.decoder.attention
        if isinstance(attention, NoAttention):
            return attention.nothing(parts)
        return attention.remember(self.dropout(self.project(parts)), frames)  # (N, P, R)

    def _parts(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Return what is attended to, `(N, P, C)`, and a summary, `(N, C')`."""
        features = seen.features.to(self.embedding.weight.dtype)
        if self.frames is None:
            return features, pooled(features, self.pooling, self.image.grid)
        outputs, _ = self.frames(features, None, seen.frames)  # (N, F, C)
        return outputs, final_output(outputs, seen.frames, self.frames.causal)

    def decode(self, inputs: Tensor, state: DecoderState, lengths: Tensor) -> Decoded:
        """Read known captions, `(B, T)`, each word from those before it and the picture."""
        embedded = self.dropout(self.embedding(inputs))
        if self.training and self.word_dropout > 0:
            # Whole words (Gal and Ghahramani 2016): what comes next must then be seen.
            kept = torch.rand(inputs.shape, device=inputs.device) >= self.word_dropout
            embedded = embedded * kept.unsqueeze(2)
        decoded: Decoded = self.decoder(embedded, state, lengths)
        return decoded


def _projection(width: int, regions: int) -> nn.Module:
    norm = nn.LayerNorm(regions)
    # Small regions make even attention: what is attended to sharply at once learns no more.
    nn.init.constant_(norm.weight, REGION_SPREAD)
    return nn.Sequential(nn.Linear(width, regions), norm)


def built(image: ImageEncoder, size: int, clips: bool, pooling: Pooling) -> ImageEncoder:
    """Build an image encoder for pictures of `size` pixels a side, pooled if they are frames.

    Raises:
        UserError: The size does not suit it, or a package is not installed.
    """
    seeing = PooledImageEncoder(image, pooling) if clips else image
    seeing.build(size)
    return seeing
