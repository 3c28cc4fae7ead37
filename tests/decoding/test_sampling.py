import pytest
import torch
from torch import Tensor

from seqforge.decoding import Drawn, Step, StepOut, greedy, sample, sampling
from seqforge.state import State

VOCABULARY = 5
END = 4
TABLE = torch.tensor(
    [
        [0.05, 0.60, 0.20, 0.10, 0.05],
        [0.10, 0.05, 0.70, 0.10, 0.05],
        [0.05, 0.05, 0.10, 0.70, 0.10],
        [0.05, 0.05, 0.05, 0.05, 0.80],
        [0.20, 0.20, 0.20, 0.20, 0.20],
    ]
).log()


def _step(tokens: Tensor, state: State) -> StepOut:
    """Follow a table of transitions; the state counts the steps."""
    return StepOut(TABLE[tokens], state + 1, trace=tokens * 10)


class Writer:
    """Takes many steps in one call, and notes how many."""

    num_tokens = VOCABULARY

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        self.blocks.append(0)
        return _step(tokens, state)

    def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
        self.blocks.append(len(noise))
        drawn, scores = [], []
        for each in noise:
            log_probs, state, _ = _step(tokens, state)
            tokens = (log_probs.double() / temperature + each).argmax(dim=1)
            drawn.append(tokens)
            scores.append(log_probs.gather(1, tokens[:, None]).squeeze(1))
        return Drawn(torch.stack(drawn), torch.stack(scores), state)


def _state(rows: int) -> Tensor:
    return torch.zeros(rows, 1)


def _draws(first: list[int], seeds: list[int], length: int = 6, temperature: float = 1.0) -> Tensor:
    state = _state(len(first))
    steps = sample(
        _step, torch.tensor(first), state, length=length, temperature=temperature, seeds=seeds
    )
    return torch.stack([each.tokens for each in steps], dim=1)


def test_temperature_zero_takes_the_most_probable_token() -> None:
    first = torch.tensor([0, 2])
    tokens = greedy(_step, first, _state(2), length=6, end=END)
    expected, rows = first, []
    for _ in range(4):
        expected = TABLE[expected].argmax(dim=1)
        rows.append(expected)

    assert tokens[0].tolist() == [1, 2, 3, END]
    assert tokens[0].tolist() == torch.stack(rows, 1)[0].tolist()
    assert tokens[1].tolist() == [3, END, END, END]


def test_greedy_stops_at_its_length() -> None:
    assert greedy(_step, torch.tensor([0]), _state(1), length=2, end=END).tolist() == [[1, 2]]
    assert greedy(_step, torch.tensor([0, 0]), _state(2), length=0, end=END).shape == (2, 0)


def test_rows_depend_on_their_seeds_alone() -> None:
    together = _draws([0, 1, 2, 0], [7, 8, 9, 7])
    alone = torch.cat(
        [_draws([first], [seed]) for first, seed in zip([0, 1, 2], [7, 8, 9], strict=True)]
    )

    assert torch.equal(together[:3], alone)
    assert torch.equal(together[0], together[3])
    assert not torch.equal(_draws([0], [7], 20), _draws([0], [8], 20))


def test_the_global_generator_is_neither_read_nor_disturbed() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = _draws([0, 1], [1, 2])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)

    assert torch.equal(_draws([0, 1], [1, 2]), one)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_follow_the_tempered_distribution(temperature: float) -> None:
    rows = 4000
    tokens = _draws([0] * rows, list(range(rows)), length=1, temperature=temperature)
    frequencies = tokens.flatten().bincount(minlength=VOCABULARY) / rows
    expected = (TABLE[0] / temperature).softmax(dim=0)

    # Four standard deviations of a share.
    deviation = (expected * (1 - expected) / rows).sqrt()
    assert ((frequencies - expected).abs() < 4 * deviation).all()


def test_draws_from_a_part_follow_its_own_distribution() -> None:
    rows, seeds = 4000, list(range(4000))
    first, state = torch.zeros(rows, dtype=torch.long), _state(rows)

    def shares(top_k: int, top_p: float) -> Tensor:
        (drawn,) = sample(
            _step, first, state, length=1, temperature=2.0, top_k=top_k, top_p=top_p, seeds=seeds
        )
        return drawn.tokens.bincount(minlength=VOCABULARY) / rows

    # Of row 0 of the table at temperature 2, the roots of its probabilities.
    roots = torch.tensor([0.0, 0.60**0.5, 0.20**0.5, 0.10**0.5, 0.0])
    for found, expected in (
        (shares(3, 1.0), roots / roots.sum()),
        # Of these, the first has 50.4 %: less than that is reached by it alone.
        (shares(3, 0.503), torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0])),
        (shares(3, 0.506), torch.tensor([0.0, 0.634, 0.366, 0.0, 0.0])),
        # Of all five it has 39 %: temperature comes before the share.
        (shares(0, 0.38), torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0])),
        (shares(0, 0.41), torch.tensor([0.0, 0.634, 0.366, 0.0, 0.0])),
    ):
        deviation = (expected * (1 - expected) / rows).sqrt()
        assert ((found - expected).abs() <= 4 * deviation + 1e-3 * (expected > 0)).all()


@pytest.mark.parametrize(("top_k", "top_p"), [(1, 1.0), (0, 0.0), (0, 1e-9), (2, 1e-9)])
@pytest.mark.parametrize("temperature", [0.7, 1.0, 1e300])
def test_drawing_from_one_token_is_greedy(top_k: int, top_p: float, temperature: float) -> None:
    first = torch.tensor([0, 1, 2, 4])
    steps = sample(
        _step, first, _state(4), length=6, temperature=temperature, top_k=top_k, top_p=top_p
    )
    likeliest = sample(_step, first, _state(4), length=6, temperature=0.0)

    for drawn, best in zip(steps, likeliest, strict=True):
        assert torch.equal(drawn.tokens, best.tokens)


def test_rows_of_a_part_depend_on_their_seeds_alone() -> None:
    def rows(first: list[int], seeds: list[int]) -> Tensor:
        steps = sample(
            _step,
            torch.tensor(first),
            _state(len(first)),
            length=9,
            top_k=4,
            top_p=0.9,
            seeds=seeds,
        )
        return torch.stack([each.tokens for each in steps], dim=1)

    alone = [rows([first], [seed]) for first, seed in zip([0, 1, 4], [7, 8, 9], strict=True)]

    assert torch.equal(rows([0, 1, 4], [7, 8, 9]), torch.cat(alone))


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (3, 1.0), (0, 0.8)])
def test_log_probabilities_are_the_models_own(top_k: int, top_p: float) -> None:
    first = torch.tensor([0, 1, 2])
    tokens, total = first, torch.zeros(3)
    for each in sample(
        _step,
        first,
        _state(3),
        length=5,
        temperature=2.0,
        top_k=top_k,
        top_p=top_p,
        seeds=[1, 2, 3],
    ):
        torch.testing.assert_close(each.log_probs, TABLE[tokens, each.tokens])
        assert torch.equal(each.trace, tokens * 10)
        tokens = each.tokens
        total += each.log_probs

    assert (total < 0).all()


def test_finished_rows_give_out_their_end_and_cost_nothing() -> None:
    # Row 0 ends at its fourth step, row 1 at its second: nothing comes after.
    first = torch.tensor([0, 2])
    steps = list(sample(_step, first, _state(2), length=9, temperature=0.0, end=END))

    assert [each.finished.tolist() for each in steps] == [
        [False, False],
        [False, True],
        [False, True],
        [True, True],
    ]
    assert [each.tokens[1].item() for each in steps] == [3, END, END, END]
    assert [each.log_probs[1].item() == 0.0 for each in steps] == [False, False, True, True]


def test_without_an_end_rows_go_on() -> None:
    assert _draws([3], [0], length=30).shape == (1, 30)


def test_tokens_come_one_at_a_time() -> None:
    calls = []

    def counting(tokens: Tensor, state: State) -> StepOut:
        calls.append(1)
        return _step(tokens, state)

    step: Step = counting
    next(sample(step, torch.tensor([0]), _state(1), length=10))

    assert len(calls) == 1


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be at least 0, not -1"):
        next(sample(_step, torch.tensor([0]), _state(1), length=1, temperature=-1))
    with pytest.raises(ValueError, match="temperature must be at least 0, not nan"):
        next(sample(_step, torch.tensor([0]), _state(1), length=1, temperature=float("nan")))
    with pytest.raises(ValueError, match=r"not -1 and 1\.0"):
        next(sample(_step, torch.tensor([0]), _state(1), length=1, top_k=-1))
    with pytest.raises(ValueError, match=r"not 0 and 1\.5"):
        next(sample(_step, torch.tensor([0]), _state(1), length=1, top_p=1.5))
    with pytest.raises(ValueError, match="2 seeds for 1 rows"):
        next(sample(_step, torch.tensor([0]), _state(1), length=1, seeds=[1, 2]))


@pytest.mark.parametrize("size", [5, 97, 3000, 20_000])
@pytest.mark.parametrize("length", [1, 40])
def test_draws_are_races_of_exponential_clocks(size: int, length: int) -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, size).log_softmax(dim=1)
    steps = sample(
        lambda tokens, state: StepOut(scores, state),
        torch.tensor([0, 1, 2]),
        None,
        length=length,
        temperature=0.7,
        seeds=[4, 5, 6],
    )
    tokens = torch.stack([each.tokens for each in steps], dim=1)

    tempered = (scores.double() / 0.7).softmax(dim=1)
    ahead = max(1, min(32, 2**14 // size))
    for number, seed in enumerate([4, 5, 6]):
        chance, expected = torch.Generator().manual_seed(seed), []
        for _ in range(0, length, ahead):
            clocks = torch.empty(ahead, size, dtype=torch.float64).exponential_(generator=chance)
            expected += (tempered[number] / clocks).argmax(dim=1).tolist()
        assert tokens[number].tolist() == expected[:length]


def test_what_is_not_a_number_is_not_drawn_from() -> None:
    scores = torch.zeros(2, 4)
    scores[1, 2] = torch.nan
    with pytest.raises(ValueError, match="log-probabilities are not numbers"):
        next(
            sample(
                lambda tokens, state: StepOut(scores, state), torch.tensor([0, 1]), None, length=1
            )
        )


@pytest.mark.parametrize("length", [0, 1, 2, 5, 31, 64, 100])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("end", [None, END])
def test_a_model_that_writes_by_itself_writes_the_same(
    length: int, temperature: float, end: int | None
) -> None:
    first = torch.tensor([0, 1, 2])

    def written(step: Step) -> list[list[list[float]]]:
        steps = sample(
            step, first, _state(3), length=length, temperature=temperature, seeds=[4, 5, 6], end=end
        )
        return [
            [each.tokens.tolist(), each.log_probs.tolist(), each.finished.tolist()]
            for each in steps
        ]

    writer = Writer()

    assert written(writer) == written(_step)
    assert 0 not in writer.blocks
    if end is None:
        assert sum(writer.blocks) == length


def test_blocks_begin_with_one_step_and_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    def blocks(length: int) -> list[int]:
        writer = Writer()
        steps = sample(writer, torch.tensor([0, 1]), _state(2), length=length)
        next(steps)
        assert writer.blocks == [1]
        assert len(list(steps)) == length - 1
        return writer.blocks

    assert blocks(100) == [1, 2, 4, 8, 16, 32, 32, 5]
    monkeypatch.setattr(sampling, "NOISE", 2 * VOCABULARY * 5)  # as with very many tokens
    assert blocks(13) == [1, 2, 4, 5, 1]
    monkeypatch.setattr(sampling, "NOISE", 1)
    assert blocks(3) == [1, 1, 1]


@pytest.mark.parametrize(("top_k", "top_p"), [(3, 1.0), (0, 0.9)])
def test_a_model_that_writes_by_itself_is_stepped_where_tokens_are_left_out(
    top_k: int, top_p: float
) -> None:
    writer = Writer()
    steps = sample(writer, torch.tensor([0]), _state(1), length=5, top_k=top_k, top_p=top_p)

    assert len(list(steps)) == 5
    assert writer.blocks == [0] * 5


def test_what_a_model_draws_by_itself_must_have_numbers() -> None:
    class Broken(Writer):
        def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
            drawn = super().draw(tokens, state, noise, temperature)
            return drawn._replace(log_probs=drawn.log_probs * torch.nan)

    with pytest.raises(ValueError, match="log-probabilities are not numbers"):
        next(sample(Broken(), torch.tensor([0]), _state(1), length=3))


def test_what_a_model_draws_by_itself_has_no_gradient() -> None:
    class Learning(Writer):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.ones(1, requires_grad=True)

        def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
            drawn = super().draw(tokens, state * self.weight, noise, temperature)
            return drawn._replace(log_probs=drawn.log_probs * self.weight)

    for each in sample(Learning(), torch.tensor([0]), _state(1), length=4):
        assert not each.log_probs.requires_grad


def test_no_rows_are_written_too() -> None:
    nobody = torch.empty(0, dtype=torch.long)
    for step in (_step, Writer()):
        steps = list(sample(step, nobody, _state(0), length=3, seeds=[]))
        assert [each.tokens.tolist() for each in steps] == [[], [], []]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("value", [-torch.inf, torch.inf, torch.nan])
@pytest.mark.parametrize("alone", [True, False])
def test_what_leaves_nothing_to_draw_is_refused_by_both(
    temperature: float, value: float, alone: bool
) -> None:
    class Broken(Writer):
        def __call__(self, tokens: Tensor, state: State) -> StepOut:
            return StepOut(torch.full((1, VOCABULARY), value), state)

        def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
            return Drawn(torch.zeros(1, 1, dtype=torch.long), torch.full((1, 1), value), state)

    broken = Broken()
    step: Step = broken if alone else broken.__call__
    with pytest.raises(ValueError, match="not numbers"):
        next(sample(step, torch.tensor([0]), _state(1), length=1, temperature=temperature))


def test_a_sampler_leaves_the_callers_mode_alone() -> None:
    steps = sample(_step, torch.tensor([0]), _state(1), length=3)
    next(steps)

    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
