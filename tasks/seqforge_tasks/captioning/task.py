"""Captioning: pictures in, sentences out."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from PIL.Image import Image
from torch import Tensor

from seqforge.data import Batch, DataModule
from seqforge.encoders import EncoderFactory
from seqforge.metrics import perplexity
from seqforge.state import State
from seqforge.task import Loss, Output, Preview, Progress, Source, Spec, Task
from seqforge.text import sentence_vocabulary_from_spec
from seqforge.vision import ImageEncoder, ImageTransform
from seqforge_tasks.captioning.answers import answer, best_captions, predictions
from seqforge_tasks.captioning.arguments import require_arguments
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.caching import serve_frozen_features
from seqforge_tasks.captioning.captioner import Candidate, Captioner
from seqforge_tasks.captioning.losses import caption_terms
from seqforge_tasks.captioning.network import CaptioningNetwork, Conditioning, NetworkOptions
from seqforge_tasks.captioning.previews import previews
from seqforge_tasks.captioning.scores import CaptioningScores
from seqforge_tasks.captioning.search_options import CaptioningOptions, require_valid


class Captioning(Task):
    """Learns to describe pictures (Vinyals et al. 2015, Xu et al. 2015).

    Args:
        image_encoder: What makes regions with features out of pictures.
        conditioning: "start": the mean of the regions starts the decoder, which sees the picture
            no more (Show and Tell); "attention": it looks at the regions at every step (Show,
            Attend and Tell); or "both".
        attention: How words and regions are compared: "additive", "dot" or "general".
        gate: Whether a word may look less at the picture (Xu et al. 2015, section 4.2.1).
        doubly_stochastic: Weight of the penalty `sum_i (1 - sum_t alpha_ti)^2` of a caption, which
            makes it look everywhere in the end (Xu et al. 2015, equation 14); 0: none.
        input_feeding: Whether the decoder also reads its features of the step before; slower.
        writer: Whether a second decoder layer reads what was looked at.
        embedding_size: Width of a word's embedding.
        region_size: Width to which the features of regions are mapped.
        feature_size: Width of the features that predict the next word; None: as the embeddings.
        tied_embeddings: Whether the embeddings are the head's weights too, where widths agree.
        dropout: Probability that an element of embeddings, regions or features is dropped in
            training.
        word_dropout: Probability that a whole word is not read in training.
        label_smoothing: Probability mass that is spread over all words.
        finetune_epoch: The first epoch, from 0, in which a pretrained image encoder is trained as
            well; None: it stays as it is. Other image encoders are always trained.
        finetune_rate: Factor of its learning rate then.
        beam_size: Width of the beam with which validation and test decode.
        length_penalty: Their length penalty.

    Raises:
        UserError: An argument is out of range.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/cider", "max")
    options: ClassVar[type] = CaptioningOptions
    example: ClassVar[str] = "-i photo.jpg"
    folders: ClassVar[bool] = True

    def __init__(
        self,
        image_encoder: ImageEncoder,
        conditioning: Conditioning = "both",
        attention: Literal["additive", "dot", "general"] = "additive",
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
        beam_size: int = 3,
        length_penalty: float = 1.0,
    ) -> None:
        super().__init__()
        self.network_options = NetworkOptions(
            conditioning=conditioning,
            attention=attention,
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
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.search_options = CaptioningOptions(beam_size, length_penalty)
        require_valid(self.search_options, prefix="model.task.")
        require_arguments(self)

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make the network for the spec's pictures and vocabulary."""
        self.transform = ImageTransform.from_spec(spec["transform"])
        self.vocabulary = sentence_vocabulary_from_spec(spec["vocabulary"])
        self.longest: int = spec["longest"]
        image: ImageEncoder = self.__dict__["image_encoder"]
        image.build(self.transform.size)
        self.network = CaptioningNetwork(
            image,
            encoders,
            len(self.vocabulary),
            (self.vocabulary.padding, self.vocabulary.begin),
            image.pretrained and self.finetune_epoch is None,
            self.network_options,
        )
        self.scores = CaptioningScores()

    def initialise(self) -> None:
        """Load the image encoder's pretrained weights."""
        self.network.image.initialise()

    def attach(self, data: DataModule) -> None:
        """Let the data give features instead of pictures, where the image encoder is frozen."""
        if self.network.image.pretrained and self.finetune_epoch != 0:
            serve_frozen_features(self.network, data, self.finetune_epoch)

    def learning_rates(self, progress: Progress) -> Mapping[str, float]:
        """Let the image encoder rest until it is fine-tuned."""
        if self.finetune_epoch is None or not self.network.image.pretrained:
            return {}
        rests = progress.epoch < self.finetune_epoch
        return {"network.image": 0.0 if rests else self.finetune_rate}

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the cross-entropy of all words and end marks, and what they did not look at."""
        assert isinstance(batch, CaptionBatch)
        trains = self.training and self.learning_rates(progress).get("network.image", 1.0) > 0
        begun = self.network.look(self._features(batch, trains), batch.places)
        decoded = self.network.decode(batch.inputs, begun, batch.lengths)
        if not self.training:
            return Loss(caption_terms(self.network, decoded, batch, 0.0, 0.0))
        weight = self.doubly_stochastic
        return Loss(caption_terms(self.network, decoded, batch, self.label_smoothing, weight))

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
        """Caption each picture of the inputs: files, folders and patterns.

        Raises:
            UserError: An option is out of range, or an input is no picture.
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
        return Captioner(network, self.vocabulary, self.transform, self.longest)

    def _features(self, batch: CaptionBatch, train_image: bool = False) -> Tensor:
        if batch.features is None:
            assert batch.pictures is not None
            features = self.network.features(batch.pictures, train_image)
            if self.training:
                return features
            batch.features = features  # for the search, which comes after the loss
        return batch.features

    def _search(self, batch: CaptionBatch) -> list[list[Candidate]]:
        return self.captioner.search(self._features(batch)[batch.places], self.search_options)
