"""Captions are drawn, rewarded by their CIDEr-D, and the better ones become likelier."""

import math
from typing import Any

import pytest
import torch

from seqforge.data import DataModule
from seqforge.errors import UserError
from seqforge.metrics import CiderD
from seqforge.task import Progress
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.rewards import END, CaptionRewards
from seqforge_tasks.captioning.task import Captioning
from tests.tasks.captioning.networks import Normalised, batch, fit, pictures, task, text

REFERENCES = [("a b c", "a b d"), ("e f g", "e f h"), ("b b b",)]
GOOD, BAD = [4, 5, 6, 7], [8, 9, 10, 11]
"""What is written of one picture, one as often as the other."""


def rewarded(*captions: list[int], **options: Any) -> CaptionBatch:
    one = batch(list(captions), **options)
    one.references = ((text(GOOD),),) * len(captions)
    return one


def undecided(**options: Any) -> Captioning:
    """Return a network that writes GOOD as often as BAD, and is rewarded for GOOD."""
    made = task(
        sharp=1.0,
        hidden_size=32,
        embedding_size=32,
        region_size=32,
        self_critical_epoch=1,
        **options,
    )
    both = batch([GOOD, BAD], places=[0, 0], photos=pictures(1))
    fit(made, lambda _: both, 50)
    made.rewards = CaptionRewards([(text(GOOD),), *REFERENCES])
    return made


def share_of_good(made: Captioning) -> float:
    """Return the probability of the first word of GOOD against that of BAD."""
    network = made.network
    state = network.look(network.see(pictures(1)))
    decoded = network.decode(torch.tensor([[2]]), state, torch.tensor([1]))
    scores = network.head(decoded.features)[0, 0]
    return torch.sigmoid(scores[GOOD[0]] - scores[BAD[0]]).item()


def test_bleu_is_added_by_its_weight() -> None:
    plain, mixed = CaptionRewards(REFERENCES), CaptionRewards(REFERENCES, bleu=2.0)
    references = ("a b c d e", "a b f")
    # Of "a b c <end>" the n-grams before the end are found: 4 of 4 words, 2 of 3, 1 of 2, and no
    # 4-gram, which counts as half of one. It is as long as "a b f" and its end.
    precisions = (1.0, 2 / 3, 1 / 2, 1 / 2)
    expected = math.prod(precisions) ** 0.25
    added = mixed.reward("a b c", True, references) - plain.reward("a b c", True, references)
    assert added == pytest.approx(2.0 * expected)


def test_a_reward_is_the_measure_with_the_end_as_a_word() -> None:
    rewards = CaptionRewards(REFERENCES)
    words = [[[*each.split(), END] for each in captions] for captions in REFERENCES]
    scorer = CiderD.of(words)
    for caption, ended in (("a b c", True), ("a b c", False), ("e f", True), ("", True)):
        tokens = [*caption.split(), *[END] * ended]
        for references, prepared in zip(REFERENCES, words, strict=True):
            expected = scorer.scores([tokens], [scorer.prepare(prepared)])[0] / 100
            assert rewards.reward(caption, ended, references) == pytest.approx(expected)
    assert rewards.reward("a b c", True, REFERENCES[0]) > rewards.reward(
        "a b c", False, REFERENCES[0]
    )


@pytest.mark.parametrize("baseline", ["others", "greedy"])
def test_what_is_rewarded_becomes_likelier(baseline: str) -> None:
    made = undecided(self_critical_baseline=baseline)
    assert 0.2 < share_of_good(made) < 0.8
    optimizer = torch.optim.Adam(made.parameters(), 0.003)
    made.train()
    means = []
    for step in range(40):
        terms = made.loss(rewarded(GOOD, BAD, places=[0, 0]), None, Progress(1 + step, step, 0.5))
        loss, reward = terms.terms["policy"], terms.terms["reward"]
        assert reward.weight == 0.0
        means.append((reward.total / reward.count).item())
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        optimizer.step()
    made.eval()
    assert share_of_good(made) > 0.95
    assert sum(means[-5:]) > sum(means[:5])


def test_before_its_epoch_captions_of_people_teach() -> None:
    made = undecided(doubly_stochastic=0.0).train()
    one = rewarded(GOOD, BAD, places=[0, 0])
    before = made.loss(one, None, Progress(0, 0, 0.0)).terms
    assert list(before) == ["loss"]
    assert int(before["loss"].count) == 10
    made.eval()
    assert list(made.loss(one, None, Progress(3, 0, 0.0)).terms) == ["loss"]  # validation


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_batch_is_the_sum_of_its_rows(dropout: float) -> None:
    made = undecided(dropout=dropout).train()
    photos = pictures(2, seed=4)
    whole = rewarded(GOOD, BAD, GOOD, places=[0, 1, 0], photos=photos, ids=[7, 3, 9])
    progress = Progress(2, 0, 0.0, seed=5)
    together = made.loss(whole, None, progress).terms
    parts = [
        made.loss(rewarded(GOOD, photos=photos[n : n + 1], ids=[number]), None, progress).terms
        for n, number in ((0, 7), (1, 3), (0, 9))
    ]
    for name in ("policy", "reward"):
        total = sum(each[name].total.item() for each in parts)
        assert together[name].total.item() == pytest.approx(total, rel=1e-3, abs=1e-4)
        assert int(together[name].count) == sum(int(each[name].count) for each in parts)
    assert made.network.training


def test_a_pictures_captions_are_drawn_anew_for_each_row_and_epoch() -> None:
    made = undecided().train()

    def policy(number: int, epoch: int) -> float:
        progress = Progress(epoch, 0, 0.0, seed=5)
        terms = made.loss(rewarded(GOOD, ids=[number]), None, progress).terms
        return terms["policy"].total.item()

    assert policy(7, 2) == policy(7, 2)
    assert len({round(policy(number, epoch), 4) for number in (7, 9) for epoch in range(1, 6)}) > 2


def test_rates_are_lower_while_rewards_teach() -> None:
    made = task(Normalised(), self_critical_epoch=2, self_critical_rate=0.1, finetune_epoch=1)
    rates = [dict(made.learning_rates(Progress(epoch, 0, 0.0))) for epoch in range(3)]
    assert len({frozenset(each) for each in rates}) == 1
    assert [each["network.image"] for each in rates] == [0.0, 0.1, pytest.approx(0.01)]
    assert [each["network.decoder"] for each in rates] == [1.0, 1.0, 0.1]
    own = task(self_critical_epoch=2, self_critical_rate=0.1)
    assert dict(own.learning_rates(Progress(2, 0, 0.0)))["network.image"] == 0.1


def test_data_without_captions_is_refused() -> None:
    with pytest.raises(UserError, match="has no captions") as caught:
        task(self_critical_epoch=2).attach(DataModule(batch_size=2))
    assert caught.value.where == "model.task.self_critical_epoch"
