"""What data modules of captioned photos share, wherever the photos come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.trainer.states import TrainerFn

from seqforge.corpus import cache_folder
from seqforge.data import DataModule, PlanLoader, SequentialPlan, TokenBudgetPlan
from seqforge.errors import UserError
from seqforge.text import SentenceVocabulary, sentence_vocabulary_from_spec
from seqforge.vision import FrameSampling, ImageTransform, Pictures
from seqforge_tasks.captioning.photos.learning import learn_vocabulary
from seqforge_tasks.captioning.photos.options import CaptionOptions
from seqforge_tasks.captioning.photos.photos import Part, Photos
from seqforge_tasks.captioning.photos.pictures_of import pictures_of
from seqforge_tasks.captioning.photos.samples import (
    MARKS,
    CaptionSample,
    EvaluationCollate,
    TrainingCaptions,
    TrainingCollate,
)
from seqforge_tasks.captioning.photos.served import FeatureArray, Features, ServedFeatures
from seqforge_tasks.captioning.photos.training_captions import (
    PreparedCaptions,
    encode_evaluated,
    encode_training,
    prepare_captions,
)


class CaptionData(DataModule):
    """Photos and what people wrote of them.

    A subclass says where the photos come from. The vocabulary is made of the training captions
    alone, once, and kept beside the runs. In training a sample is a caption, in batches of similar
    length; in evaluation it is a photo with all its captions.

    Args:
        options: How pictures and captions are prepared, encoded and cut into batches.
        seed: What the order of batches is drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of vocabulary and features; None: `cache` beside the run folders.
        sampling: Which frames are taken of clips; None: these are photos.

    Attributes:
        options: As given.
        sampling: As given; after `adopt` that of the checkpoint.
        transform: What makes a picture of a photo, in training as in inference; after `adopt` that
            of the checkpoint.
    """

    def __init__(
        self,
        options: CaptionOptions,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
        sampling: FrameSampling | None = None,
    ) -> None:
        super().__init__(batch_size=options.batch_size, num_workers=num_workers, seed=seed)
        self.options = options
        self.cache = cache
        self.transform = ImageTransform(options.image_size, options.fit)
        self.sampling = sampling
        self._vocabulary: SentenceVocabulary | None = None
        self._longest: int | None = None
        self._photos: dict[Part, Photos] = {}
        self._prepared: PreparedCaptions | None = None  # from `prepare_data` to `setup`
        self._training: TrainingCaptions | None = None
        self._too_long = 0
        self._served = ServedFeatures()
        self._mistake: UserError | None = None
        self._checksum: int | None = None
        self._taken_up = 0

    def photos(self, part: Part) -> Photos:
        """Return the photos of a part, their pictures transformed by `transform`.

        Raises:
            UserError: They cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} must define photos(part)")

    @property
    def feature_folder(self) -> Path:
        """The folder in which features of pictures are kept for other runs."""
        return cache_folder(self.cache, self.trainer)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that were set up."""
        return tuple(self._photos)

    @property
    def epoch_taken_up(self) -> int:
        """The epoch in which a resumed fit goes on; 0 for a fresh one."""
        return self._taken_up

    def pictures(self, part: Part) -> Pictures:
        """Return the pictures of a part that was set up, or the frames of all its clips."""
        return pictures_of(self._photos[part])

    def written(self, part: Part) -> Sequence[tuple[str, ...]]:
        """Return the captions of a part that was set up, for each photo as they were written."""
        return self._photos[part].captions

    def serve_features(self, features: FeatureArray, until_epoch: int | None = None) -> None:
        """Let training batches carry features instead of pictures, which are then not decoded.

        Args:
            features: `(N, P, C)` float16 of the training part's `pictures`.
            until_epoch: The first epoch in which training is given pictures again; None: never.

        Raises:
            ValueError: They are of more or fewer photos.
        """
        self._served.training = self._fitting("train", features)
        self._served.until_epoch = until_epoch

    def serve_evaluation_features(self, part: Part, features: FeatureArray) -> None:
        """Let the batches of a part carry features beside its pictures.

        Args:
            part: The part, "validation" or "test".
            features: `(N, P, C)` float16 of its `pictures`.

        Raises:
            ValueError: They are of more or fewer photos.
        """
        self._served.evaluated[part] = self._fitting(part, features)

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Use a checkpoint's vocabulary and transform, to measure it on other photos.

        Raises:
            UserError: It captions clips and these are photos, or the other way round.
        """
        frames = spec.get("frames")
        if (frames is None) != (self.sampling is None):
            kinds = ("clips", "photos") if self.sampling is None else ("photos", "clips")
            raise UserError(
                f"this checkpoint captions {kinds[0]}, but {type(self).__name__} has {kinds[1]}",
                where="data",
                todo=f"give it {kinds[0]}",
            )
        self.sampling = None if frames is None else FrameSampling.from_spec(frames)
        self._vocabulary = sentence_vocabulary_from_spec(spec["vocabulary"])
        self.transform = ImageTransform.from_spec(spec["transform"])
        self._longest = int(spec["longest"])

    def prepare_data(self) -> None:
        """Make the vocabulary, if that was not done before: on one process of each machine."""
        self._mistake = None
        try:
            if self._vocabulary is None:
                self._prepared = prepare_captions(self._part("train"))
                self._learn(self._prepared)
        except UserError as mistake:
            # Here the others would wait for one that gave up. All of them meet it in `setup`.
            self._mistake = mistake

    def setup(self, stage: str) -> None:
        """Read the photos and encode the captions that the stage needs; every process does so."""
        if self._mistake is not None:
            raise self._mistake
        if self._training is None and (stage == "fit" or self._vocabulary is None):
            self._set_up_training()
        for part in _measured(stage):
            self._part(part)

    def spec(self) -> dict[str, Any]:
        """Return vocabulary and transform, and the tokens of the longest caption trained on."""
        if self._longest is None:
            raise RuntimeError("setup() comes before spec()")
        return {
            "vocabulary": self._known_words().spec(),
            "transform": self.transform.spec(),
            "longest": self._longest,
            **({} if self.sampling is None else {"frames": self.sampling.spec()}),
        }

    def notes(self) -> Sequence[str]:
        """Return lines on the photos, the vocabulary, and what was left out."""
        if self._vocabulary is None or not self._photos:
            return ()
        sizes = "   ".join(f"{part}: {len(each):,}" for part, each in self._photos.items())
        lines = [f"{'photos' if self.sampling is None else 'clips'}: {sizes}"]
        if self._training is not None:
            lines.append(f"training captions: {len(self._training):,}")
        lines.append(f"vocabulary: {len(self._vocabulary):,} {self._vocabulary.unit}s")
        if self._too_long:
            most = self.options.max_length
            lines.append(
                f"left out of training: {self._too_long:,} captions of more than {most} tokens"
            )
        return lines

    def train_dataloader(self) -> PlanLoader[CaptionSample]:
        """Return the loader of the training captions."""
        captions, words, options = self._training_captions(), self._known_words(), self.options
        # Captions of a batch are alike in length. As many tokens in each, not as many captions:
        # a step's loss is a mean over its words, and those of short captions would count for more,
        # their ends too, so that captions came out too short.
        lengths = captions.lengths
        room = max(round(options.batch_size * float(lengths.mean())), int(lengths.max()))
        plan = TokenBudgetPlan(lengths, room, seed=self.seed, width=options.width)
        collate = TrainingCollate(self._photos["train"], self._served, words.begin, words.end)
        return self.train_loader(captions, plan, collate)

    def val_dataloader(self) -> dict[str, PlanLoader[CaptionSample]]:
        """Return the loader "validation", of the photos by which checkpoints are chosen."""
        return self._evaluation("validation")

    def test_dataloader(self) -> dict[str, PlanLoader[CaptionSample]]:
        """Return the loader "test", of the photos that are reported on."""
        return self._evaluation("test")

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the training data, and the checksum of photos and captions."""
        text = {} if self._checksum is None else {"captions": self._checksum}
        return super().state_dict() | text

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint.

        Raises:
            UserError: A run would go on with other photos or captions than it was trained on.
        """
        position = dict(state_dict)
        captions = position.pop("captions", None)
        fitting = self.trainer is not None and self.trainer.state.fn == TrainerFn.FITTING
        if fitting and self._checksum is not None and captions not in (None, self._checksum):
            raise UserError(
                "the training photos or captions are not those that the run was trained on",
                where="data",
                todo="give them back as they were, or start a new run",
            )
        self._taken_up = int(position.get("epoch", 0))
        super().load_state_dict(position)

    def _part(self, part: Part) -> Photos:
        if part not in self._photos:
            photos = self.photos(part)
            if not len(photos):
                raise UserError(f"the {part} part has no photos", where="data", todo="give it some")
            self._photos[part] = photos
        return self._photos[part]

    def _learn(self, captions: PreparedCaptions) -> SentenceVocabulary:
        folder = cache_folder(self.cache, self.trainer)
        return learn_vocabulary(captions.texts, self.options, folder)

    def _set_up_training(self) -> None:
        photos = self._part("train")
        captions, self._prepared = self._prepared or prepare_captions(photos), None
        if self._vocabulary is None:
            self._vocabulary = self._learn(captions)
        self._checksum = captions.checksum(photos)
        self._training = encode_training(captions, self._vocabulary, self.options.max_length)
        self._too_long = len(captions.texts) - len(self._training)
        if self._longest is None:
            self._longest = int(self._training.lengths.max()) - MARKS

    def _evaluation(self, part: Part) -> dict[str, PlanLoader[CaptionSample]]:
        if (photos := self._photos.get(part)) is None:
            return {}
        words = self._known_words()
        samples = encode_evaluated(photos, words)
        plan = SequentialPlan(len(photos), self.options.batch_size)
        collate = EvaluationCollate(photos, self._served, part, words.begin, words.end)
        return {part: self.eval_loader(samples, plan, collate)}

    def _known_words(self) -> SentenceVocabulary:
        if self._vocabulary is None:
            raise RuntimeError("setup() comes before spec() and the loaders")
        return self._vocabulary

    def _training_captions(self) -> TrainingCaptions:
        if self._training is None:
            raise RuntimeError("setup() comes before the loaders")
        return self._training

    def _fitting(self, part: Part, features: FeatureArray) -> Features:
        pictures = len(self.pictures(part))
        if len(features) != pictures:
            raise ValueError(f"features of {len(features)} pictures for {pictures} of {part}")
        return Features(features, self._photos[part].frames)


def _measured(stage: str) -> Sequence[Part]:
    """Return the parts that a stage measures: all of them in training, to miss none later."""
    if stage == "validate":
        return ("validation",)
    return ("test",) if stage in ("test", "predict") else ("validation", "test")
