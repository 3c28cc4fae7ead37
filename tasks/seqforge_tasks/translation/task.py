"""Translation by an attentional encoder-decoder."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from seqforge.attention import Baseline
from seqforge.data import Batch
from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError
from seqforge.layers import padding_mask
from seqforge.metrics import perplexity
from seqforge.state import State
from seqforge.task import Loss, Output, Preview, Progress, Source, Spec, Task, Term
from seqforge.text import read_sources
from seqforge.training import Rewarding
from seqforge_tasks.translation.answers import answer
from seqforge_tasks.translation.cutoffs import require_cutoffs, require_within
from seqforge_tasks.translation.network import EncoderDecoder, NetworkOptions, own_choices
from seqforge_tasks.translation.parallel.batch import TranslationBatch
from seqforge_tasks.translation.parallel.sides import sides_from_spec
from seqforge_tasks.translation.previews import previews
from seqforge_tasks.translation.rewards import (
    RewardName,
    require_reward,
    rewarded_translations,
)
from seqforge_tasks.translation.scores import TranslationScores
from seqforge_tasks.translation.search_options import TranslationOptions, require_valid
from seqforge_tasks.translation.translator import Candidate, Translator, shortened


class Translation(Task):
    """Learns to translate sentences (Bahdanau et al. 2014, Luong et al. 2015).

    Args:
        embedding_size: Width of a word's embedding.
        attention: How target and source are compared: "additive", "dot" or "general".
        input_feeding: Whether the decoder also reads its features of the step before; slower.
        writer: Whether a second decoder layer reads what was attended to.
        bidirectional: Whether the source is read both ways, where the encoder can.
        tied_embeddings: Whether the target's embeddings are the head's weights too, and the
            source's as well where the vocabulary is joint. Features of another width keep the head
            apart.
        dropout: Probability that an element of embeddings or features is dropped in training.
        label_smoothing: Probability mass that is spread over all words.
        scheduled_sampling: Share of the target's words that are the network's own by the end of
            training; it rises linearly from 0 with the optimiser's steps, and stays 0 in a run
            without an end. Slower.
        self_critical_epoch: The first epoch, from 0, in which translations are drawn and rewarded
            instead (Rennie et al. 2017); None: the references teach to the end.
        self_critical_rate: Factor of the learning rate then.
        self_critical_baseline: What rewards are compared with: those of the "others" that were
            drawn for the sentence, or that of the "greedy" translation.
        reward: "chrf" or "bleu" of a sentence, against its reference in the training data.
        beam_size: Width of the beam with which validation and test decode.
        length_penalty: Their length penalty.
        feature_size: Width of the features that predict the next word; None: as the embeddings.
        adaptive_cutoffs: Words from which on rarer ones are predicted in clusters, such as
            `[2000, 10000]` (adaptive softmax, Grave et al. 2017); None: all at once. For large
            vocabularies, without tied embeddings and label smoothing.

    Raises:
        UserError: An argument is out of range.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/bleu", "max")
    options: ClassVar[type] = TranslationOptions
    example: str = '"The cat is red."'

    def __init__(
        self,
        embedding_size: int = 256,
        attention: Literal["additive", "dot", "general"] = "general",
        input_feeding: bool = False,
        writer: bool = False,
        bidirectional: bool = True,
        tied_embeddings: bool = True,
        dropout: float = 0.2,
        label_smoothing: float = 0.1,
        scheduled_sampling: float = 0.0,
        self_critical_epoch: int | None = None,
        self_critical_rate: float = 0.1,
        self_critical_baseline: Baseline = "others",
        reward: RewardName = "chrf",
        beam_size: int = 5,
        length_penalty: float = 1.0,
        feature_size: int | None = None,
        adaptive_cutoffs: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.network_options = NetworkOptions(
            embedding_size=embedding_size,
            attention=attention,
            input_feeding=input_feeding,
            writer=writer,
            bidirectional=bidirectional,
            tied_embeddings=tied_embeddings,
            dropout=dropout,
            feature_size=feature_size,
            adaptive_cutoffs=adaptive_cutoffs,
        )
        # Checkpoints find each argument in the attribute of its name.
        self.__dict__.update(vars(self.network_options))
        self.label_smoothing = label_smoothing
        self.scheduled_sampling = scheduled_sampling
        self.self_critical_epoch = self_critical_epoch
        self.self_critical_rate = self_critical_rate
        self.self_critical_baseline: Baseline = self_critical_baseline
        self.rewarding = Rewarding(self_critical_epoch, self_critical_rate, self_critical_baseline)
        self.reward: RewardName = reward
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.search_options = TranslationOptions(beam_size, length_penalty)
        require_valid(self.search_options, prefix="model.task.")
        self.rewarding.require_valid()
        require_reward(reward)
        _require_arguments(self)
        require_cutoffs(self.network_options, label_smoothing)

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make the network for the spec's vocabularies."""
        self.source, self.target = sides_from_spec(spec)
        joint = self.source.vocabulary is self.target.vocabulary
        require_within(self.network_options.adaptive_cutoffs, self.target.vocabulary)
        self.network = EncoderDecoder(
            encoders,
            len(self.source.vocabulary),
            None if joint else len(self.target.vocabulary),
            (self.target.vocabulary.padding, self.target.vocabulary.begin),
            self.network_options,
        )
        self.longest: int = spec["lengths"]["source"]
        self.scores = TranslationScores(self.target.preparation)

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the cross-entropy of all target words and end marks, smoothed in training."""
        assert isinstance(batch, TranslationBatch)
        if self.training and self.rewarding.active(progress):
            return Loss(rewarded_translations(self, batch, progress))
        begun = self.network.encode(batch.source, batch.source_lengths)
        share = self.scheduled_sampling * progress.fraction if self.training else 0.0
        if share > 0:
            time = batch.inputs.size(1)
            own = own_choices(batch.ids, time, share, progress.seed, progress.epoch)
            decoded = self.network.decode_sampled(batch.inputs, begun, own)
        else:
            decoded = self.network.decode(batch.inputs, begun, batch.lengths)
        real = ~padding_mask(batch.lengths, batch.targets.size(1))  # (B, T)
        smoothing = self.label_smoothing if self.training else 0.0
        loss = self.network.cross_entropy(decoded.features[real], batch.targets[real], smoothing)
        return Loss({"loss": Term(loss.smoothed, batch.lengths.sum())})

    def learning_rates(self, progress: Progress) -> Mapping[str, float]:
        """Learn slowly from rewards."""
        return self.rewarding.rates(self.network, progress)

    def evaluate(self, batch: Batch) -> None:
        """Translate a batch freely and score it."""
        assert isinstance(batch, TranslationBatch)
        best = [each[0] if each else None for each in self._search(batch)]
        self.scores.update(batch.ids.tolist(), best, batch.target_texts)

    def finish_evaluation(self) -> dict[str, float]:
        """Return BLEU, chrF, exact match and the share that was cut, in percent."""
        return self.scores.finish()

    def remarks(self) -> list[str]:
        """Return the scores as sacrebleu tells them, with their signatures."""
        return self.scores.lines

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Return the perplexity of a target token."""
        return {"perplexity": perplexity(losses["loss"])}

    def preview(self, batch: Batch) -> list[Preview]:
        """Return three translations beside source and reference, attention, and the scores."""
        assert isinstance(batch, TranslationBatch)
        return previews(self.translator, batch, self.search_options, self.remarks())

    def predict(self, batch: Batch) -> list[dict[str, object]]:
        """Return each row's source, reference and translation, with its score."""
        assert isinstance(batch, TranslationBatch)
        texts = zip(batch.source_texts, batch.target_texts, self._search(batch), strict=True)
        return [
            {
                "source": source,
                "reference": reference,
                "translation": found[0].text if found else "",
                "score": found[0].score if found else None,
            }
            for source, reference, found in texts
        ]

    def infer(self, inputs: Iterable[Source], options: TranslationOptions) -> Iterator[Output]:
        """Translate each line of the inputs.

        Raises:
            UserError: An option is out of range, or a line is too long and to be refused.
        """
        require_valid(options)
        return answer(self.translator, read_sources(inputs), options)

    def translate(
        self, texts: Sequence[str], options: TranslationOptions | None = None
    ) -> list[str]:
        """Return the best translation of each text; "" for an empty one.

        Args:
            texts: Sentences.
            options: As for `infer`.

        Raises:
            UserError: As `infer`; or a single text was given, whose characters would be the texts.
        """
        if isinstance(texts, str):
            raise UserError(
                f"one text, not a list of texts: {shortened(texts)!r}",
                where="translate",
                todo="put it into a list",
            )
        require_valid(chosen := options or TranslationOptions())
        found = self.translator.translate(texts, chosen)
        return [each[0].text if each else "" for each in found]

    @property
    def translator(self) -> Translator:
        """The network with its vocabularies; a copy of it, where it is in training."""
        network = copy.deepcopy(self.network).eval() if self.training else self.network
        return Translator(network, self.source, self.target, self.longest)

    def _search(self, batch: TranslationBatch) -> list[list[Candidate]]:
        return self.translator.search_batch(batch.source, batch.source_lengths, self.search_options)


def _require_arguments(task: Translation) -> None:
    network = task.network_options
    below_one = "give a number from 0 up, below 1"
    features = network.feature_size
    ranges: dict[str, tuple[object, bool, str]] = {
        "embedding_size": (network.embedding_size, network.embedding_size >= 1, "give at least 1"),
        "feature_size": (features, features is None or features >= 1, "give at least 1"),
        "dropout": (network.dropout, 0 <= network.dropout < 1, below_one),
        "label_smoothing": (task.label_smoothing, 0 <= task.label_smoothing < 1, below_one),
        "scheduled_sampling": (
            task.scheduled_sampling,
            0 <= task.scheduled_sampling <= 1,
            "give a number from 0 to 1",
        ),
    }
    for name, (given, right, todo) in ranges.items():
        if not right:
            raise UserError(f"{name} is {given}", where=f"model.task.{name}", todo=todo)
