"""Translation with an adaptive softmax: what it needs, and that all of it counts the same."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

import seqforge
from seqforge.encoders import GRU
from seqforge.errors import UserError
from seqforge.layers import AdaptiveHead
from seqforge.task import Progress
from seqforge.training import SequenceModule
from seqforge_tasks.translation import EnglishFrench, Translation, TranslationOptions
from tests.tasks.translation.networks import WORDS, batch, fit, sentences, spec, task, text

ADAPTIVE: dict[str, Any] = {
    "adaptive_cutoffs": [5, 8],
    "tied_embeddings": False,
    "label_smoothing": 0.0,
    "feature_size": 16,
}
START = Progress(0, 0, 0.0)
SOURCES = sentences(5, seed=1)


def test_the_loss_is_the_log_probability_of_what_is_found() -> None:
    made = task(**ADAPTIVE)
    found = made.translator.search(SOURCES, TranslationOptions(beam_size=4, max_length=6))
    for source, (best, *_) in zip(SOURCES, found, strict=True):
        written = [4 + WORDS.index(word) for word in best.text.split()]
        if not best.finished:
            continue
        loss = made.loss(batch([source], [written]), None, START).terms["loss"].total
        assert best.log_prob == pytest.approx(-loss.item(), abs=1e-6)
    assert any(best.finished for best, *_ in found)


def test_the_loss_is_the_cross_entropy_of_torch() -> None:
    made, one = task(**ADAPTIVE), batch(SOURCES[:1], SOURCES[:1])
    head = made.network.head
    assert isinstance(head, AdaptiveHead)
    with torch.no_grad():  # so that what is never written has no mass in torch's module either
        head.frequent.bias[[0, 2]] = -1e4
    state = made.network.encode(one.source, one.source_lengths)
    features = made.network.decode(one.inputs, state, one.lengths).features[0]

    peer = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 12, [5, 8], head_bias=True).double()
    values = [value.clone() for value in head.state_dict().values()]
    frequent, bias, *rest = values
    narrow, rare = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    tails = [weight for pair in zip(narrow, rare, strict=True) for weight in pair]
    peer.load_state_dict(dict(zip(peer.state_dict(), [frequent, bias, *tails], strict=True)))

    expected = -peer(features, one.targets[0]).output.sum()
    torch.testing.assert_close(made.loss(one, None, START).terms["loss"].total, expected)


def test_it_learns_to_copy_words_of_every_cluster() -> None:
    made = task(sharp=1.0, hidden_size=32, **{**ADAPTIVE, "embedding_size": 32, "feature_size": 32})
    drawn = [sentences(32, 2, 4, seed=seed) for seed in range(200)]

    loss = fit(made, lambda step: batch(drawn[step], drawn[step]), 200)

    assert loss < 0.2
    copies = made.translate([text(each) for each in drawn[0]])
    assert sum(one == text(each) for one, each in zip(copies, drawn[0], strict=True)) >= 28


def test_words_of_its_own_are_drawn_from_the_same_distribution() -> None:
    made, one = task(**ADAPTIVE, scheduled_sampling=1.0).train(), batch(SOURCES, SOURCES)
    state = made.network.encode(one.source, one.source_lengths)
    drawn: list[Tensor] = []
    read = made.network.target_embedding.register_forward_hook(
        lambda _, given, __: drawn.append(given[0])
    )
    made.network.decode_sampled(one.inputs, state, torch.full_like(one.inputs, 0.5).double())
    read.remove()

    words = torch.cat([each.flatten() for each in drawn[1:]])
    assert words.numel() > 0
    assert not torch.isin(words, torch.tensor([0, 2])).any()


@pytest.mark.parametrize("baseline", ["others", "greedy"])
def test_rewards_train_it(baseline: Any) -> None:
    made = task(**ADAPTIVE, self_critical_epoch=0, self_critical_baseline=baseline).train()

    (loss, *_) = made.loss(batch(SOURCES, SOURCES), None, START).terms.values()
    loss.total.backward()

    assert made.network.head.weight.grad is not None
    assert made.network.head.weight.grad.abs().sum() > 0


def test_a_checkpoint_holds_it(tmp_path: Path) -> None:
    data = EnglishFrench(pairs=200, vocabulary="words", cache=str(tmp_path))
    made = Translation(
        embedding_size=16,
        tied_embeddings=False,
        label_smoothing=0.0,
        adaptive_cutoffs=[20, 60],
    )
    trainer = pl.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
    )
    trainer.fit(SequenceModule(made, partial(GRU, hidden_size=8)), datamodule=data)
    trainer.save_checkpoint(tmp_path / "some.ckpt")

    loaded = seqforge.load(tmp_path / "some.ckpt")

    assert isinstance(loaded, Translation)
    assert loaded.adaptive_cutoffs == [20, 60]
    assert isinstance(loaded.network.head, AdaptiveHead)
    assert loaded.network.head.bounds[:3] == [0, 20, 60]
    for one, other in zip(
        made.network.head.parameters(), loaded.network.head.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    assert loaded.translate(["the red cat"]) == made.eval().translate(["the red cat"])


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adaptive_cutoffs": []}, r"adaptive_cutoffs is \[\]"),
        ({"adaptive_cutoffs": [8, 5]}, r"adaptive_cutoffs is \[8, 5\]"),
        ({"adaptive_cutoffs": [0, 5]}, r"numbers that rise, such as \[2000, 10000\]"),
        ({"tied_embeddings": True}, "set model.task.tied_embeddings to false"),
        ({"label_smoothing": 0.1}, r"label_smoothing is 0\.1"),
        ({"feature_size": 15}, "15 features are too few for 2 clusters"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        Translation(**{**ADAPTIVE, **options})
    assert "model.task.adaptive_cutoffs" in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 5


@pytest.mark.parametrize("cutoffs", [[3, 8], [5, 12], [5, 2000]])
def test_cutoffs_beyond_the_vocabulary_are_refused(cutoffs: list[int]) -> None:
    with pytest.raises(UserError, match=r"has 12 words, marks included") as refused:
        task(**{**ADAPTIVE, "adaptive_cutoffs": cutoffs})
    assert "give numbers from 4 to 11" in str(refused.value)


def test_a_vocabulary_of_the_targets_own_counts() -> None:
    assert len(spec(["x", "y"])["target"]["vocabulary"]) > 0
    with pytest.raises(UserError, match="has 6 words"):
        task(target_words=["x", "y"], **ADAPTIVE)
