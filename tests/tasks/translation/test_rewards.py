"""Translations are drawn, rewarded, and the better ones become likelier."""

import pytest
import torch
from sacrebleu import corpus_bleu

from seqforge.errors import UserError
from seqforge.task import Progress
from seqforge_tasks.translation import Translation
from seqforge_tasks.translation.rewards import TranslationReward
from tests.tasks.translation.networks import batch, task

SOURCE, GOOD, BAD = [4, 5, 6], [7, 8, 9, 10], [11, 6, 5, 4]


def chrf(hypothesis: str, reference: str) -> float:
    """Return the chrF of words of equal lengths, from its definition (Popović 2015)."""
    scores = []
    one, other = hypothesis.replace(" ", ""), reference.replace(" ", "")
    for n in range(1, 7):
        mine = [one[i : i + n] for i in range(len(one) - n + 1)]
        theirs = [other[i : i + n] for i in range(len(other) - n + 1)]
        if not mine or not theirs:
            continue
        common = sum(min(mine.count(each), theirs.count(each)) for each in set(mine))
        scores.append((common / len(mine), common / len(theirs)))
    precision = sum(p for p, _ in scores) / len(scores)
    recall = sum(r for _, r in scores) / len(scores)
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("text", ["the red cat", "a red cat", "dogs", "the red cat sleeps"])
def test_rewards_are_chrf_and_bleu(text: str) -> None:
    reference = "the red cat"
    assert TranslationReward("chrf").reward(text, True, reference) == pytest.approx(
        chrf(text, reference), abs=1e-6
    )
    expected = corpus_bleu([text], [[reference]], use_effective_order=True).score / 100
    assert TranslationReward("bleu").reward(text, True, reference) == pytest.approx(expected)
    whole = TranslationReward("bleu").reward(text, True, reference)
    assert TranslationReward("bleu").reward(text, False, reference) == whole / 2


def test_the_case_counts_unless_it_is_left_out() -> None:
    assert TranslationReward("chrf").reward("The", True, "the") < 1
    assert TranslationReward("chrf", lowercase=True).reward("The", True, "the") == 1


@pytest.mark.parametrize("reward", ["chrf", "bleu"])
def test_what_is_rewarded_becomes_likelier(reward: str) -> None:
    made = task(hidden_size=24, sharp=1.0, self_critical_epoch=1, reward=reward, label_smoothing=0)
    made.float().train()
    optimizer = torch.optim.Adam(made.parameters(), 0.02)
    both = batch([SOURCE, SOURCE], [GOOD, BAD])
    one = batch([SOURCE], [GOOD])

    def train(data: object, progress: Progress) -> dict[str, float]:
        terms = made.loss(data, None, progress).terms  # type: ignore[arg-type]
        optimizer.zero_grad()
        first = next(iter(terms.values()))
        (first.total / first.count).backward()
        optimizer.step()
        return {name: (each.total / each.count).item() for name, each in terms.items()}

    for step in range(60):
        train(both, Progress(0, step, 0.1))
    optimizer.param_groups[0]["lr"] = 0.005
    rewards = [train(one, Progress(1 + step, step, 0.5))["reward"] for step in range(40)]
    assert sum(rewards[:5]) / 5 < 0.9
    assert sum(rewards[-15:]) / 15 > sum(rewards[:5]) / 5 + 0.2
    made.eval()
    assert list(made.loss(one, None, Progress(9, 0, 1.0)).terms) == ["loss"]
    assert "reward" not in made.loss(one, None, Progress(9, 0, 1.0)).terms


def test_what_is_drawn_depends_on_no_dropout() -> None:
    made = task(hidden_size=24, sharp=1.0, self_critical_epoch=0, dropout=0.5).train()
    data, progress = batch([SOURCE, SOURCE], [GOOD, BAD]), Progress(0, 0, 0.0)
    losses = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        terms = made.loss(data, None, progress).terms
        losses.append((terms["policy"].total.item(), terms["reward"].total.item()))

    assert losses[0] == losses[1]
    assert made.loss(data, None, Progress(1, 0, 0.0)).terms["policy"].total.item() != losses[0][0]


def test_rates_are_lower_while_rewards_teach() -> None:
    made = task(self_critical_epoch=2, self_critical_rate=0.2)
    rates = [set(made.learning_rates(Progress(epoch, 0, 0.0)).values()) for epoch in (1, 2)]
    assert rates == [{1.0}, {0.2}]
    assert task().learning_rates(Progress(5, 0, 0.0)) == {}


def test_mistakes_are_refused() -> None:
    with pytest.raises(UserError, match="reward is 'blue'") as caught:
        Translation(reward="blue")  # type: ignore[arg-type]
    assert caught.value.closest == "bleu"
    with pytest.raises(UserError, match="self_critical_epoch is -1"):
        Translation(self_critical_epoch=-1)
