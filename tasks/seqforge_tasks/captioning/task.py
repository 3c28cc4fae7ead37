"""Captioning: pictures in, sentences out."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from PIL.Image import Image

from seqforge.attention import Baseline
from seqforge.data import Batch, DataModule
from seqforge.encoders import EncoderFactory
from seqforge.metrics import perplexity
from seqforge.state import State
from seqforge.task import Loss, Output, Preview, Progress, Source, Spec, Task
from seqforge.text import sentence_vocabulary_from_spec
from seqforge.training import Rewarding
from seqforge.vision import ImageEncoder, Pooling
from seqforge_tasks.captioning.answers import answer, best_captions, predictions
from seqforge_tasks.captioning.arguments import require_arguments
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.caching import serve_frozen_features
from seqforge_tasks.captioning.captioner import Candidate, Captioner
from seqforge_tasks.captioning.losses import batch_seen, evaluated_terms, training_terms
from seqforge_tasks.captioning.medium import medium_from_spec
from seqforge_tasks.captioning.network import (
    CaptioningNetwork,
    Conditioning,
    NetworkOptions,
    built,
)
from seqforge_tasks.captioning.previews import previews
from seqforge_tasks.captioning.rates import learning_rates
from seqforge_tasks.captioning.rewards import CaptionRewards
from seqforge_tasks.captioning.scores import CaptioningScores
from seqforge_tasks.captioning.search_options import CaptioningOptions, require_valid


class Captioning(Task):
    """Learns to describe pictures (Vinyals et al. 2015, Xu et al. 2015) or clips.

    Args:
        image_encoder: What makes regions with features out of pictures; trained, if not pretrained.
        conditioning: "start": the pooled regions start the decoder, which sees the picture
            no more (Show and Tell); "attention": it looks at them at every step; or "both".
        attention: How words and regions are compared: "additive", "dot" or "general".
        pooling: How regions become one summary: "mean", "max" or "places"; see `Pooling`.
        shortcut: Whether a linear map of the summary is added to what predicts each word.
        gate: Whether a word may look less at the picture (Xu et al. 2015, section 4.2.1).
        doubly_stochastic: Weight of the penalty `sum_i (1 - sum_t alpha_ti)^2` of a caption, which
            makes it look everywhere in the end (Xu et al. 2015, equation 14); 0: none.
        input_feeding: Whether the decoder also reads its features of the step before; slower.
        writer: Whether a second decoder layer reads what was looked at.
        embedding_size: Width of a word's embedding.
        region_size: Width to which the features of regions are mapped.
        feature_size: Width of the features that predict the next word; None: as the embeddings.
        tied_embeddings: Whether the embeddings are the head's weights too, where widths agree.
        dropout: Probability that an element of embeddings, regions or features is dropped.
        word_dropout: Probability that a whole word is not read, likewise in training only.
        label_smoothing: Probability mass that is spread over all words.
        finetune_epoch: The first epoch, from 0, that trains a pretrained one too; None: never.
        finetune_rate: Factor of its learning rate then.
        self_critical_epoch: The first epoch, from 0, in which captions are drawn and rewarded by
            their CIDEr-D instead (Rennie et al. 2017); None: people's captions teach to the end.
        self_critical_rate: Factor of the learning rate then.
        self_critical_baseline: What rewards are compared with; see `seqforge.attention.Baseline`.
        self_critical_bleu: Weight of a caption's BLEU-4, 0 to 1, beside its CIDEr-D, 0 to 10.
        beam_size: Width of the beam with which validation and test decode.
        length_penalty: Their length penalty.

    Raises:
        UserError: An argument is out of range.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/cider", "max")
    options: ClassVar[type] = CaptioningOptions
    example: str = "-i photo.jpg"
    folders: ClassVar[bool] = True

    def __init__(
        self,
        image_encoder: ImageEncoder,
        conditioning: Conditioning = "both",
        attention: Literal["additive", "dot", "general"] = "additive",
        pooling: Pooling = "mean",
        shortcut: bool = False,
        gate: bool = True,
        doubly_stochastic: float = 1.0,
        input_feeding: bool = False,
        writer: bool = False,
        embedding_size: int = 256,
        region_size: int = 512,
        feature_size: int | None = None,
        tied_embeddings: bool = True,
        dropout: float = 0.3,
        word_dropout: float = 0.0,
        label_smoothing: float = 0.0,
        finetune_epoch: int | None = None,
        finetune_rate: float = 0.1,
        self_critical_epoch: int | None = None,
        self_critical_rate: float = 0.1,
        self_critical_baseline: Baseline = "others",
        self_critical_bleu: float = 0.0,
        beam_size: int = 3,
        length_penalty: float = 1.0,
    ) -> None:
        super().__init__()
        self.network_options = NetworkOptions(
            conditioning=conditioning,
            attention=attention,
            pooling=pooling,
            shortcut=shortcut,
            gate=gate,
            input_feeding=input_feeding,
            writer=writer,
            embedding_size=embedding_size,
            region_size=region_size,
            feature_size=feature_size,
            tied_embeddings=tied_embeddings,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        # Checkpoints find each argument in the attribute of its name.
        self.__dict__.update(vars(self.network_options))
        # No module of its own: its weights are the network's.
        self.__dict__["image_encoder"] = image_encoder
        self.doubly_stochastic = doubly_stochastic
        self.label_smoothing = label_smoothing
        self.finetune_epoch = finetune_epoch
        self.finetune_rate = finetune_rate
        self.self_critical_epoch = self_critical_epoch
        self.self_critical_rate = self_critical_rate
        self.self_critical_baseline: Baseline = self_critical_baseline
        self.self_critical_bleu = self_critical_bleu
        self.rewarding = Rewarding(self_critical_epoch, self_critical_rate, self_critical_baseline)
        self.beam_size, self.length_penalty = beam_size, length_penalty
        self.search_options = CaptioningOptions(beam_size, length_penalty)
        require_arguments(self)

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make the network for the spec's pictures or clips, and its vocabulary."""
        self.medium = medium_from_spec(spec)
        self.example = self.medium.example
        self.vocabulary = sentence_vocabulary_from_spec(spec["vocabulary"])
        self.longest: int = spec["longest"]
        image, clips = self.__dict__["image_encoder"], "frames" in spec
        seeing = built(image, self.medium.transform.size, clips, self.network_options.pooling)
        words, marks = len(self.vocabulary), (self.vocabulary.padding, self.vocabulary.begin)
        frozen = image.pretrained and self.finetune_epoch is None
        self.network = CaptioningNetwork(
            seeing, encoders, clips, words, marks, frozen, self.network_options
        )
        self.scores = CaptioningScores()
        self.rewards: CaptionRewards | None = None

    def initialise(self) -> None:
        """Load the image encoder's pretrained weights."""
        self.network.image.initialise()

    def attach(self, data: DataModule) -> None:
        """Let the data give features of a frozen image encoder, and count what rewards need."""
        if self.self_critical_epoch is not None:
            self.rewards = CaptionRewards.of(data, self.self_critical_bleu)
        if self.network.image.pretrained and self.finetune_epoch != 0:
            serve_frozen_features(self.network, data, self.finetune_epoch)

    def learning_rates(self, progress: Progress) -> Mapping[str, float]:
        """Let the image encoder rest until it is fine-tuned; learn slowly from rewards."""
        return learning_rates(self, progress)

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the cross-entropy of all words and end marks, or what rewards make of captions."""
        assert isinstance(batch, CaptionBatch)
        return Loss(
            training_terms(self, batch, progress) if self.training else evaluated_terms(self, batch)
        )

    def evaluate(self, batch: Batch) -> None:
        """Caption a batch freely and score it against all references."""
        assert isinstance(batch, CaptionBatch)
        best = [each[0] if each else None for each in self._search(batch)]
        self.scores.update(batch.ids.tolist(), best, self.captioner.references(batch))

    def finish_evaluation(self) -> dict[str, float]:
        """Return CIDEr-D, BLEU, ROUGE-L, and the shares of distinct and truncated captions."""
        return self.scores.finish()

    def remarks(self) -> list[str]:
        """Return the scores with how they were computed."""
        return self.scores.lines

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Return the perplexity of a word."""
        return {"perplexity": perplexity(losses["loss"])}

    def preview(self, batch: Batch) -> list[Preview]:
        """Return a contact sheet of captioned pictures, and the scores."""
        assert isinstance(batch, CaptionBatch)
        return previews(self.captioner, batch, self.search_options, self.remarks())

    def predict(self, batch: Batch) -> list[dict[str, object]]:
        """Return each picture's file, its caption with its score, and its references."""
        assert isinstance(batch, CaptionBatch)
        return predictions(self.captioner, batch, self._search(batch))

    def infer(self, inputs: Iterable[Source], options: CaptioningOptions) -> Iterator[Output]:
        """Caption each picture or clip of the inputs: files, folders and patterns.

        Raises:
            UserError: An option is out of range, or an input holds none.
        """
        require_valid(options)
        return answer(self.captioner, inputs, options)

    def caption(
        self, pictures: Sequence[Source | Image], options: CaptioningOptions | None = None
    ) -> list[str]:
        """Return the best caption of each picture.

        Args:
            pictures: Files, or pictures of Pillow.
            options: As for `infer`.

        Raises:
            UserError: As `infer`; or a single picture was given instead of a list.
        """
        return best_captions(self.captioner, pictures, options or CaptioningOptions())

    @property
    def captioner(self) -> Captioner:
        """The network with its vocabulary and transform; a copy of it, where it is in training."""
        network = copy.deepcopy(self.network).eval() if self.training else self.network
        return Captioner(network, self.vocabulary, self.medium, self.longest)

    def _search(self, batch: CaptionBatch) -> list[list[Candidate]]:
        seen = batch_seen(self.network, batch).rows(batch.places)
        return self.captioner.search(seen, self.search_options)
