"""Beam search: against exhaustive search, and against a slow one made of lists."""

from __future__ import annotations

import dataclasses
import math
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import Hypothesis, StepOut, beam_search
from seqforge.state import State
from tests.decoding import tables as toy
from tests.decoding.tables import END, Options

seeds = st.integers(0, 10**6)
widths = st.integers(1, 6)
lengths = st.integers(0, 5)


@dataclasses.dataclass
class Watch:
    """A step function that notes what it is given."""

    tokens: list[Tensor] = dataclasses.field(default_factory=list)

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        self.tokens.append(tokens)
        return toy.step(tokens, state)


def search(
    tables: Tensor, width: int, options: Options, max_length: Tensor | None = None
) -> list[list[Hypothesis]]:
    return beam_search(
        toy.step,
        toy.first(tables),
        toy.memory(tables),
        end=END,
        beam_size=width,
        max_length=options.max_length if max_length is None else max_length,
        min_length=options.min_length,
        length_penalty=options.alpha,
        no_repeat_ngram=options.no_repeat,
        n_best=options.n_best,
        banned=options.banned,
    )


@pytest.mark.parametrize(
    "options",
    [
        Options(5),
        Options(5, alpha=0.6, n_best=3),
        Options(5, alpha=1.0, n_best=7),
        Options(5, alpha=1.0, min_length=3, n_best=4),
        Options(5, min_length=5),
        Options(5, no_repeat=1, n_best=20),
        Options(5, alpha=0.6, no_repeat=2, n_best=5),
        Options(5, alpha=3.0, no_repeat=3, min_length=1, n_best=5, banned=(2,)),
    ],
    ids=str,
)
def test_a_beam_of_all_sequences_is_exhaustive_search(options: Options) -> None:
    tables = toy.random_tables(2, seed=3)
    # Enough slots for the sequences of every length, and so for all sequences.
    for found, table in zip(search(tables, END**5, options), tables, strict=True):
        expected = toy.exhaustive(table, options)

        assert [each.tokens for each in found] == [tokens for tokens, _, _ in expected]
        assert all(each.finished for each in found)
        for each, (_, log_prob, score) in zip(found, expected, strict=True):
            assert each.log_prob == pytest.approx(log_prob, abs=1e-5)
            assert each.score == pytest.approx(score, abs=1e-5)


options = st.builds(
    Options,
    max_length=lengths,
    alpha=st.sampled_from([0.0, 1e-9, 0.6, 1.0, 4.0]),
    n_best=st.integers(1, 7),
    min_length=st.integers(0, 6),
    no_repeat=st.integers(0, 3),
    banned=st.sampled_from([(), (0,), (1, 3)]),
)
# Up to 7 items: one alone that is done then stays in the batch for a while.
tied = st.builds(
    toy.even_tables,
    items=st.integers(1, 7),
    seed=seeds,
    levels=st.integers(1, 4),
    dead=st.sampled_from([0.0, 0.2, 0.6]),
)
untied = st.builds(toy.random_tables, items=st.integers(1, 7), seed=seeds)


@settings(deadline=None, max_examples=100)
@given(st.one_of(tied, untied), widths, options)
def test_it_finds_what_a_slow_search_to_the_end_finds(
    tables: Tensor, width: int, options: Options
) -> None:
    # The slow one never leaves off: what ends early has lost nothing. Its finished hypotheses are
    # in a list of their own: here, too, nothing may have changed them.
    for found, table in zip(search(tables, width, options), tables, strict=True):
        assert toy.plain(found) == toy.slow_beam(table, width, options)


@settings(deadline=None, max_examples=30)
@given(st.one_of(tied, untied), st.sampled_from([0.0, 1.0]), st.integers(0, 2))
def test_a_wider_beam_never_lowers_the_score(tables: Tensor, alpha: float, no_repeat: int) -> None:
    options = Options(5, alpha=alpha, no_repeat=no_repeat)
    before = [-math.inf] * len(tables)
    for width in range(1, 7):
        found = search(tables, width, options)
        now = [each[0].score if each and each[0].finished else -math.inf for each in found]
        assert all(new >= old for new, old in zip(now, before, strict=True))
        before = now


@settings(deadline=None, max_examples=30)
@given(st.one_of(tied, untied), widths, options, st.randoms(use_true_random=False))
def test_neighbours_and_order_change_nothing(
    tables: Tensor, width: int, options: Options, random: Random
) -> None:
    order = random.sample(range(len(tables)), len(tables))
    together = search(tables, width, options)
    shuffled = search(tables[order], width, options)

    for place, item in enumerate(order):
        (alone,) = search(tables[item : item + 1], width, options)
        assert toy.plain(shuffled[place]) == toy.plain(together[item]) == toy.plain(alone)


WIDE = 24


def _recurrent(items: int) -> tuple[torch.nn.GRUCell, Tensor, Tensor]:
    torch.manual_seed(1)
    cell = torch.nn.GRUCell(WIDE, WIDE)
    return cell, 3 * torch.randn(WIDE, 700), torch.randn(items, WIDE)


def test_a_network_of_floats_gives_the_same_in_every_batch() -> None:
    # 700 tokens, so that the beam looks for them in blocks.
    cell, head, start = _recurrent(9)

    def step(tokens: Tensor, state: State) -> StepOut:
        hidden = cell(head.T[tokens], state)
        return StepOut((hidden @ head).log_softmax(dim=1), hidden, hidden)

    def decode(rows: Tensor) -> list[list[Hypothesis]]:
        first = torch.zeros(len(rows), dtype=torch.int64)
        return beam_search(
            step,
            first,
            rows,
            end=7,
            max_length=12,
            beam_size=4,
            length_penalty=0.8,
            n_best=4,
            banned=(0, 1),
        )

    together = decode(start)
    for item, found in enumerate(together):
        (alone,) = decode(start[item : item + 1])
        assert [each.tokens for each in found] == [each.tokens for each in alone]
        for each, other in zip(found, alone, strict=True):
            assert each.score == pytest.approx(other.score, abs=1e-5)
            torch.testing.assert_close(each.trace, other.trace, atol=1e-5, rtol=0)
    assert len({each.tokens for found in together for each in found}) > 9


@settings(deadline=None, max_examples=30)
@given(untied, widths, options)
def test_log_probabilities_are_those_of_scoring_the_tokens_again(
    tables: Tensor, width: int, options: Options
) -> None:
    for found, table in zip(search(tables, width, options), tables, strict=True):
        for each in found:
            ended = [*each.tokens, END] if each.finished else each.tokens
            assert each.log_prob == pytest.approx(toy.log_prob(table, ended), abs=1e-5)
            score = options.score(each.log_prob, len(ended))
            assert each.score == pytest.approx(score, rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.one_of(tied, untied), widths, options)
def test_the_trace_follows_the_path(tables: Tensor, width: int, options: Options) -> None:
    for found in search(tables, width, options):
        for each in found:
            path = (toy.FIRST, toy.FIRST, *each.tokens)
            steps = len(each.tokens) + each.finished
            pairs, (tens, nothing) = each.trace
            assert pairs.tolist() == [[path[n], path[n + 1]] for n in range(steps)]
            assert tens.tolist() == [10.0 * path[n + 1] for n in range(steps)]
            assert nothing is None


def test_beams_are_never_the_same() -> None:
    tables = toy.random_tables(3, seed=0)
    watch = Watch()
    beam_search(
        watch, toy.first(tables), toy.memory(tables), end=END, max_length=4, beam_size=4, n_best=9
    )

    assert [len(tokens) for tokens in watch.tokens[:2]] == [3, 12]
    for item, beams in enumerate(watch.tokens[1].view(3, 4)):
        # All four tokens but the end mark, the likeliest first.
        likeliest = tables[item, toy.FIRST, toy.FIRST, :END].argsort(descending=True)
        assert beams.tolist() == likeliest.tolist()


@settings(deadline=None, max_examples=30)
@given(st.one_of(tied, untied), widths, options, st.data())
def test_each_item_has_its_own_maximum(
    tables: Tensor, width: int, options: Options, data: st.DataObject
) -> None:
    maxima = [data.draw(lengths) for _ in tables]
    together = search(tables, width, options, torch.tensor(maxima))

    for found, table, maximum in zip(together, tables, maxima, strict=True):
        own = options._replace(max_length=maximum)
        assert toy.plain(found) == toy.slow_beam(table, width, own)
        assert all(len(each.tokens) <= maximum for each in found)


def test_items_that_are_done_leave_the_batch() -> None:
    # Item 0 ends at once, item 1 never does before its maximum.
    tables = torch.full((2, 5, 5, 5), 0.01).log()
    tables[0, ..., END], tables[1, ..., 1] = math.log(0.96), math.log(0.96)
    tables[1, ..., END] = -math.inf
    watch = Watch()
    ended, cut = beam_search(
        watch, toy.first(tables), toy.memory(tables), end=END, max_length=3, beam_size=3
    )

    assert [len(tokens) for tokens in watch.tokens] == [2, 3, 3, 3]
    assert [(each.tokens, each.finished) for each in ended] == [((), True)]
    assert [(each.tokens, each.finished) for each in cut] == [((1, 1, 1), False)]
    assert cut[0].log_prob == pytest.approx(3 * math.log(0.96))


crowds = st.one_of(
    st.builds(toy.even_tables, items=st.integers(9, 14), seed=seeds, levels=st.integers(1, 4)),
    st.builds(toy.random_tables, items=st.integers(9, 14), seed=seeds),
)


@settings(deadline=None, max_examples=15)
@given(crowds, widths, options)
def test_one_of_many_that_is_done_stays_and_changes_nothing(
    tables: Tensor, width: int, options: Options
) -> None:
    # Of more than eight items, one that is done alone does not leave yet.
    for found, table in zip(search(tables, width, options), tables, strict=True):
        assert toy.plain(found) == toy.slow_beam(table, width, options)


def test_slots_that_can_win_nothing_are_not_followed() -> None:
    # To end at once has 0.1, to go on with 1 has 0.85, with 2 and 3 less than the end: without a
    # penalty only 1 is worth following, and of what follows it nothing after its own end.
    table = torch.full((2, 5, 5, 5), 1e-3).log()
    table[..., END], table[..., 1] = math.log(0.1), math.log(0.85)
    watch = Watch()
    found = beam_search(
        watch, toy.first(table), toy.memory(table), end=END, max_length=9, beam_size=3
    )

    assert [len(tokens) for tokens in watch.tokens] == [2] * 10
    assert [toy.plain(each) for each in found] == [
        toy.slow_beam(each, 3, Options(9)) for each in table
    ]


def test_reordering_moves_nothing_that_is_fixed() -> None:
    tables = toy.random_tables(20, seed=5)
    tables[..., END] = -math.inf  # nobody is done before the end
    seen: list[Tensor] = []

    def step(tokens: Tensor, state: toy.Memory) -> StepOut:
        seen.append(state.item.value[1])
        return toy.step(tokens, state)

    beam_search(step, toy.first(tables), toy.memory(tables), end=END, max_length=4, beam_size=3)

    assert len(seen) == 5
    assert all(each is tables for each in seen)


def test_it_does_not_leave_off_while_a_longer_hypothesis_can_win() -> None:
    # To end at once has 0.5; to go on has 0.4 and is then certain: with a penalty it wins.
    table = torch.full((1, 5, 5, 5), -math.inf)
    table[..., 0, 0, END], table[..., 0, 0, 1] = math.log(0.5), math.log(0.4)
    table[..., 0, 1, 2], table[..., 1, 2, 3], table[..., 2, 3, END] = 0.0, 0.0, 0.0

    assert search(table, 2, Options(5))[0][0].tokens == ()
    assert search(table, 2, Options(5, alpha=1.0))[0][0].tokens == (1, 2, 3)


def test_dead_ends_are_left_and_given_back_by_no_one() -> None:
    table = torch.full((1, 5, 5, 5), -math.inf)
    # 1 is likelier than 2 and leads nowhere.
    table[..., 0, 0, 1], table[..., 0, 0, 2], table[..., 0, 2, END] = -0.1, -2.0, -0.5

    assert toy.plain(search(table, 2, Options(4, n_best=3))[0]) == [((2,), -2.5, True)]
    assert search(table, 1, Options(4)) == [[]]
    # At the maximum length, what cannot end is cut, and comes after what has ended.
    assert toy.plain(search(table, 2, Options(1, n_best=3))[0]) == [
        ((2,), -2.5, True),
        ((1,), float(table[0, 0, 0, 1]), False),
    ]
    # Nobody waits for what is dead.
    watch = Watch()
    beam_search(watch, toy.first(table), toy.memory(table), end=END, max_length=99, n_best=3)
    assert len(watch.tokens) == 2


def test_a_huge_penalty_does_not_make_the_impossible_the_best() -> None:
    log_probs = torch.randn(4, 4, generator=torch.Generator().manual_seed(0)).log_softmax(1)

    def step(tokens: Tensor, state: State) -> StepOut:
        return StepOut(log_probs[tokens], state)

    (found,) = beam_search(
        step, torch.tensor([1]), None, end=0, max_length=40, min_length=30, length_penalty=1e3
    )
    assert [len(each.tokens) >= 30 for each in found] == [True]


def test_no_item_is_no_step() -> None:
    watch = Watch()
    nothing = torch.zeros(0, dtype=torch.int64)

    assert beam_search(watch, nothing, None, end=END, max_length=3) == []
    assert watch.tokens == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beam_size": 0}, "beam_size must be at least 1, not 0"),
        ({"n_best": 0}, "n_best must be at least 1, not 0"),
        ({"min_length": -1}, "min_length must be at least 0, not -1"),
        ({"no_repeat_ngram": -2}, "no_repeat_ngram must be at least 0, not -2"),
        ({"length_penalty": -0.5}, r"length_penalty must be at least 0, not -0\.5"),
        ({"max_length": -1}, "max_length must be at least 0, not -1"),
        ({"banned": (0, END)}, "the end mark 4 is banned"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any], message: str) -> None:
    tables = toy.random_tables(1, seed=0)
    with pytest.raises(ValueError, match=message):
        beam_search(
            toy.step,
            toy.first(tables),
            toy.memory(tables),
            **{"end": END, "max_length": 2, **wrong},
        )
