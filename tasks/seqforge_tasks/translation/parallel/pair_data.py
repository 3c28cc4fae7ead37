"""What data modules of sentence pairs share, wherever the pairs come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pytorch_lightning.trainer.states import TrainerFn

from seqforge.corpus import cache_folder
from seqforge.data import DataModule, PlanLoader, Samples, TokenBudgetPlan
from seqforge.errors import UserError
from seqforge.text import Preparation, SubwordVocabulary
from seqforge_tasks.translation.parallel.encoding import PreparedPairs, encode_pairs, prepare_pairs
from seqforge_tasks.translation.parallel.filters import Dropped, of_fitting_length, with_text
from seqforge_tasks.translation.parallel.learning import learn_vocabularies
from seqforge_tasks.translation.parallel.options import PairOptions
from seqforge_tasks.translation.parallel.pair import PairSource
from seqforge_tasks.translation.parallel.samples import (
    Collate,
    PairSample,
    PairSamples,
    ResegmentedPairs,
)
from seqforge_tasks.translation.parallel.sides import Side, sides_from_spec

Part = Literal["train", "validation", "test"]


class PairData(DataModule):
    """Sentences and their translations, in batches of similar length.

    A subclass says where the pairs come from. Vocabularies are made of the training part alone,
    once, and kept beside the runs. Training leaves out pairs with an empty side, and then, as
    lengths are counted in tokens, those that are too long or too unlike in length; it says how
    many. Validation and test keep every pair.

    A batch holds at most `max_tokens` tokens: rows times (longest source + longest target), padding
    and marks included, over all processes together. In validation and test the budget is that of
    the longest pair, if this is larger. With `sampling`, batches are cut by the lengths of the
    usual segmentation: those drawn are longer and more unlike, so that a batch has about twice the
    budget; give half of it to stay within the same memory.

    Args:
        options: How the pairs are prepared, encoded and cut into batches.
        seed: What the order of batches is drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of the vocabularies; None: `cache` beside the run folders.
    """

    def __init__(
        self,
        options: PairOptions,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        super().__init__(num_workers=num_workers, seed=seed)
        self.options = options
        self.cache = cache
        self._sides: tuple[Side, Side] | None = None
        self._longest = {"source": options.max_length, "target": options.max_length}
        self._training: PreparedPairs | None = None  # from `prepare_data` to `setup`
        self._mistake: UserError | None = None
        self._samples: dict[Part, PairSamples] = {}
        self._dropped = Dropped()
        self._checksum: int | None = None

    def part(self, name: Part) -> PairSource | None:
        """Return where the pairs of a part come from; None if there is no such part.

        Raises:
            UserError: The part was named but cannot be found, or it is the training part.
        """
        raise NotImplementedError(f"{type(self).__name__} must define part(name)")

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Use a checkpoint's vocabularies and preparation, to measure it on other pairs.

        Raises:
            UserError: The pairs are of other languages, or the other way round.
        """
        sides = sides_from_spec(spec)
        trained = tuple(side.preparation.language for side in sides)
        if trained != (self.options.source, self.options.target):
            raise UserError(
                f"the checkpoint translates {' to '.join(trained)}, and the data are of "
                f"{self.options.source} to {self.options.target}",
                where="data.source, data.target",
                todo="give pairs of the checkpoint's languages, named as it names them",
            )
        self._sides = sides
        self._longest = dict(spec["lengths"])

    def prepare_data(self) -> None:
        """Make the vocabularies, if that was not done before: on one process of each machine."""
        self._mistake = None
        try:
            if self._sides is None:
                self._training = self._read_training(self._preparations())
                self._learn(self._training)
        except UserError as mistake:
            # Here the others would wait for one that gave up. All of them meet it in `setup`.
            self._mistake = mistake

    def setup(self, stage: str) -> None:
        """Read and encode the pairs that the stage needs; every process does so."""
        if self._mistake is not None:
            raise self._mistake
        if "train" not in self._samples and (stage == "fit" or self._sides is None):
            self._set_up_training()
        for name in self._measured(stage):
            if name not in self._samples and (source := self.part(name)) is not None:
                self._samples[name] = self._read_measured(name, source)

    def spec(self) -> dict[str, Any]:
        """Return languages, preparation and vocabularies, and the longest sides trained on."""
        source, target = self._both_sides()
        return {
            "source": source.spec(),
            "target": target.spec(joint=source.vocabulary is target.vocabulary),
            "lengths": dict(self._longest),
        }

    def notes(self) -> Sequence[str]:
        """Return lines on the parts, the vocabularies, and what was left out."""
        if self._sides is None or not self._samples:
            return ()
        sizes = "   ".join(f"{part}: {len(each):,}" for part, each in self._samples.items())
        lines = [f"pairs: {sizes}", self._about_vocabularies(self._sides), self._dropped.note()]
        return [line for line in lines if line]

    def train_dataloader(self) -> PlanLoader[PairSample]:
        """Return the loader of the training pairs.

        Raises:
            UserError: A pair has more tokens than a batch may have.
        """
        pairs = self._samples["train"]
        options = self.options
        _require_room(int(pairs.lengths.sum(axis=1).max()), options.max_tokens)
        plan = TokenBudgetPlan(
            pairs.lengths, options.max_tokens, seed=self.seed, width=options.width
        )
        return self.train_loader(self._resegmented(pairs), plan, self._collate())

    def val_dataloader(self) -> dict[str, PlanLoader[PairSample]]:
        """Return the loader "validation"; none if there is no such part."""
        return self._evaluation("validation")

    def test_dataloader(self) -> dict[str, PlanLoader[PairSample]]:
        """Return the loader "test", or that of validation if there is no such part."""
        return self._evaluation("test") or self.val_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the training data, and the checksum of the training pairs."""
        text = {} if self._checksum is None else {"text": self._checksum}
        return super().state_dict() | text

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint.

        Raises:
            UserError: A run would go on with other pairs than it was trained on.
        """
        position = dict(state_dict)
        text = position.pop("text", None)
        fitting = self.trainer is not None and self.trainer.state.fn == TrainerFn.FITTING
        if fitting and self._checksum is not None and text not in (None, self._checksum):
            raise UserError(
                "the training pairs are not those that the run was trained on",
                where="data",
                todo="give them back as they were, or start a new run",
            )
        super().load_state_dict(position)

    def _preparations(self) -> tuple[Preparation, Preparation]:
        options = self.options
        return (
            Preparation(options.source, options.lowercase, options.tokenize),
            Preparation(options.target, options.lowercase, options.tokenize),
        )

    def _read_training(self, preparations: tuple[Preparation, Preparation]) -> PreparedPairs:
        source = self.part("train")
        if source is None:
            raise UserError(
                "no training part is named", where="data.train", todo="name the training pairs"
            )
        self._dropped = Dropped()
        pairs = with_text(source.pairs(), self._dropped)
        if not pairs:
            raise UserError(
                "the training part has no pair with text on both sides",
                where=source.name,
                todo="give a sentence and its translation in each line",
            )
        return prepare_pairs(pairs, preparations)

    def _learn(self, training: PreparedPairs) -> tuple[Side, Side]:
        source, target = self._preparations()
        folder = cache_folder(self.cache, self.trainer)
        both = learn_vocabularies(training.source, training.target, self.options, folder)
        return Side(source, both[0]), Side(target, both[1])

    def _set_up_training(self) -> None:
        if self._sides is None:
            training = self._training or self._read_training(self._preparations())
            self._sides = self._learn(training)
        else:
            source, target = self._sides
            training = self._read_training((source.preparation, target.preparation))
        self._training = None
        self._checksum = training.checksum()
        samples = encode_pairs(training, self._sides)
        lines = [pair.line for pair in training.pairs]
        fitting = of_fitting_length(
            samples.lengths - 1,
            lines,
            self.options.max_length,
            self.options.max_ratio,
            self._dropped,
        )
        if not fitting.any():
            raise UserError(
                f"no training pair is left: {self._dropped.note()}",
                where="data.max_length, data.max_ratio",
                todo="raise them",
            )
        self._samples["train"] = samples.chosen(fitting)

    def _measured(self, stage: str) -> Sequence[Part]:
        """Return the parts that a stage measures: all of them in training, to miss none later."""
        if stage == "validate":
            return ("validation",)
        if stage in ("test", "predict") and self.part("test") is not None:
            return ("test",)
        return ("validation", "test")

    def _read_measured(self, name: Part, source: PairSource) -> PairSamples:
        sides = self._both_sides()
        pairs = list(source.pairs())
        if not pairs:
            raise UserError(
                f"the {name} part has no pairs",
                where=source.name,
                todo=f"give some, or none of it: data.{name}: null",
            )
        return encode_pairs(
            prepare_pairs(pairs, (sides[0].preparation, sides[1].preparation)), sides
        )

    def _both_sides(self) -> tuple[Side, Side]:
        if self._sides is None:
            raise RuntimeError("setup() comes before spec() and the loaders")
        return self._sides

    def _collate(self) -> Collate:
        source, target = (side.vocabulary for side in self._both_sides())
        return Collate(target.begin, source.end, target.end)

    def _resegmented(self, pairs: PairSamples) -> Samples[PairSample]:
        source, target = (side.vocabulary for side in self._both_sides())
        alpha = self.options.sampling
        if not alpha:
            return pairs
        if not isinstance(source, SubwordVocabulary) or not isinstance(target, SubwordVocabulary):
            raise UserError(
                "sampling cuts words into pieces, but the checkpoint's vocabulary is one of words",
                where="data.sampling",
                todo="leave it out",
            )
        return ResegmentedPairs(pairs, (source, target), alpha)

    def _evaluation(self, name: Part) -> dict[str, PlanLoader[PairSample]]:
        if (pairs := self._samples.get(name)) is None:
            return {}
        longest = int(pairs.lengths.sum(axis=1).max())
        budget = max(self.options.max_tokens, longest)
        plan = TokenBudgetPlan(pairs.lengths, budget, shuffle=False)
        return {name: self.eval_loader(pairs, plan, self._collate())}

    def _about_vocabularies(self, sides: tuple[Side, Side]) -> str:
        source, target = (side.vocabulary for side in sides)
        if source is target:
            sizes = f"{len(source):,} {source.unit}s of both languages"
        else:
            sizes = f"{len(source):,} and {len(target):,} {source.unit}s"
        asked = self.options.vocabulary_size
        few = min(len(source), len(target)) < asked
        return f"vocabulary: {sizes}" + (f", fewer than the {asked:,} asked for" if few else "")


def _require_room(longest: int, max_tokens: int) -> None:
    if longest > max_tokens:
        raise UserError(
            f"a training pair has {longest} tokens, marks included, and a batch may have "
            f"{max_tokens}",
            where="data.max_tokens",
            todo=f"give at least {longest}, or leave out such pairs by a lower max_length",
        )
