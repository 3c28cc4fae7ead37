"""What every mode keeps, over every encoder: reach, masks, padding, covariates in their place."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.errors import UserError
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.every_step import every_target, every_window
from tests.tasks.forecasting.windows import batch, network, spec

MODES = ["direct", "recursive", "segments"]
HEADS = ["point", "quantile", "gaussian", "student_t"]
NORMALISATIONS = ["none", "last", "mean", "standard"]
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-12}
each_mode = pytest.mark.parametrize("mode", MODES)
each_head = pytest.mark.parametrize("head", HEADS)


def rich(mode: str, **changes: Any) -> dict[str, Any]:
    """Return a spec with every covariate that the mode takes."""
    past = [] if mode == "recursive" else ["p"]
    categories = {"series": ["a", "b", "c"], "shop": ["x", "y", "z"]}
    filled: dict[str, Any] = {
        "past": past,
        "known": ["c", "d"],
        "static": ["s"],
        "categories": categories,
    }
    return spec(**filled | changes)


# -- reach -------------------------------------------------------------------------------------


@each_mode
@pytest.mark.parametrize("encoder", [RNN, GRU, LSTM])
@pytest.mark.parametrize("head", HEADS)
def test_the_first_step_reaches_the_last_observation(
    mode: str, encoder: type[Encoder], head: str
) -> None:
    data = spec()
    made, one = network(data, mode, encoder, head=head), batch(data)
    one.context.requires_grad_()
    made.forecast(one).point()[:, 0].sum().backward()

    gradient = one.context.grad
    assert gradient is not None
    assert (gradient[:, -1].abs() > 1e-9).all()
    assert (gradient.abs().sum(dim=(1, 2)) > gradient[:, -1].abs().sum(dim=1)).all()


@each_mode
@each_head
def test_nothing_behind_the_cut_off_is_read(mode: str, head: str) -> None:
    data = rich(mode)
    made, one = network(data, mode, head=head, identity=3), batch(data)
    corrupt = replace(one, target=torch.full_like(one.target, 1e9))

    assert torch.equal(made.forecast(one).point(), made.forecast(corrupt).point())


@each_mode
def test_the_first_known_covariate_of_the_horizon_moves_the_first_step(mode: str) -> None:
    data = rich(mode)
    made, one = network(data, mode), batch(data)
    one.known_future.requires_grad_()
    made.forecast(one).point()[:, 0].sum().backward()

    assert one.known_future.grad is not None
    assert (one.known_future.grad[:, 0].abs() > 1e-9).all()


def test_recursion_knows_no_covariate_ahead_of_its_step() -> None:
    data = rich("recursive")
    made, one = network(data, "recursive"), batch(data)
    one.known_future.requires_grad_()
    made.forecast(one).point()[:, 2].sum().backward()

    assert one.known_future.grad is not None
    reached = one.known_future.grad.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [True, True, True, False, False, False]


# -- what is missing, and padding --------------------------------------------------------------


@each_mode
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_missing_values_and_padding_change_nothing(mode: str, normalisation: str) -> None:
    data = rich(mode, missing=True)
    made, one = network(data, mode, normalisation=normalisation), batch(data)
    short = replace(one, lengths=torch.tensor([12, 7, 2]))
    for row, length in enumerate(short.lengths):
        short.observed[row, length:] = False
        # The data module leaves zeros there; nothing else may stand there either.
        for part in (short.context, short.past, short.known):
            part[row, length:] = 0
    short.observed[0, 3:5] = False
    other = replace(
        short,
        context=torch.where(short.observed, short.context, torch.full_like(short.context, 55.0)),
    )
    forecast = made.forecast(short).point()

    assert forecast.isfinite().all()
    torch.testing.assert_close(made.forecast(other).point(), forecast, **EXACT)
    for row in range(3):
        alone = _cut(short.rows(torch.tensor([row])), int(short.lengths[row]))
        torch.testing.assert_close(made.forecast(alone).point()[0], forecast[row], **EXACT)


def _cut(one: ForecastBatch, length: int) -> ForecastBatch:
    names = ("context", "observed", "past", "known")
    return replace(one, **{name: getattr(one, name)[:, :length] for name in names})


@each_mode
@each_head
def test_a_batch_is_its_rows(mode: str, head: str) -> None:
    data = rich(mode)
    made, one = network(data, mode, head=head, normalisation="last"), batch(data)
    losses = made.taught(one, None).predictive.loss(one.target)

    for row in range(3):
        alone = one.rows(torch.tensor([row]))
        expected = made.taught(alone, None).predictive.loss(alone.target)
        torch.testing.assert_close(losses[row], expected[0], **EXACT)


# -- normalisation -----------------------------------------------------------------------------


@each_mode
@pytest.mark.parametrize("head", ["point", "quantile"])
def test_with_the_last_value_taken_off_a_shift_is_passed_on(mode: str, head: str) -> None:
    data = spec()
    made, one = network(data, mode, head=head, normalisation="last"), batch(data)
    if mode == "recursive" and head == "quantile":
        pytest.skip("sample paths are drawn in the scale of the data, with its rounding")
    higher = replace(one, context=one.context + 10)

    torch.testing.assert_close(
        made.forecast(higher).point(), made.forecast(one).point() + 10, rtol=0, atol=1e-9
    )


@each_mode
def test_with_the_deviation_taken_off_a_factor_is_passed_on(mode: str) -> None:
    data = spec()
    made, one = network(data, mode, normalisation="standard"), batch(data)
    larger = replace(one, context=one.context * 1000)

    torch.testing.assert_close(
        made.forecast(larger).point(), made.forecast(one).point() * 1000, rtol=1e-4, atol=1e-3
    )


# -- series and categories ---------------------------------------------------------------------


def test_an_unknown_series_is_the_mean_of_the_known_ones() -> None:
    made = network(spec(), identity=3)
    table = made.description.tables[0].weight
    assert isinstance(table, Tensor)
    found = made.description(torch.zeros(2, 0).double(), torch.tensor([[0], [2]]))

    torch.testing.assert_close(found[0], table.mean(dim=0), **EXACT)
    torch.testing.assert_close(found[1], table[1], **EXACT)


def test_series_are_not_told_apart_unless_asked() -> None:
    data = spec()
    one = batch(data)
    other = replace(one, categories=one.categories + 1)

    for identity, same in ((0, True), (3, False)):
        made = network(data, identity=identity)
        assert torch.equal(made.forecast(one).point(), made.forecast(other).point()) is same


# -- every step --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["direct", "recursive"])
def test_from_every_step_is_as_from_a_cut_off_there(mode: str) -> None:
    data = spec(horizon=1 if mode == "recursive" else 6)
    made, one = network(data, mode, every_step=True), batch(data)
    dense = made.every_forecast(one).point().unflatten(0, (3, 12))  # (B, L, H, K)

    for step in (0, 5, 11):
        cut = replace(_cut(one, step + 1), lengths=torch.full((3,), step + 1))
        torch.testing.assert_close(dense[:, step], made.forecast(cut).point(), **EXACT)


@pytest.mark.parametrize("lead", [1, 3])
def test_the_targets_of_every_step(lead: int) -> None:
    data = spec(horizon=2, lead=lead)
    one = batch(data)
    whole = torch.cat([one.context, one.gap, one.target], dim=1)
    target, observed = every_target(one, lead, 2)

    assert observed.all()
    for step in range(12):
        assert torch.equal(target[:, step], whole[:, step + lead : step + lead + 2])


def test_a_window_for_every_step() -> None:
    one = batch(spec(lead=2), rows=2)
    made = every_window(one, width=5, season=4, lead=2)

    assert made.context.shape == (24, 5, 1)
    assert torch.equal(made.context[12 + 7], one.context[1, 3:8])
    assert torch.equal(made.context[12 + 1, :3], torch.zeros(3, 1).double())
    assert made.naive is not None
    # From step 7, the horizon begins at 9: a season of 4 before 9, 10, 11, 12 are 5, 6, 7 and 4.
    expected = one.context[1, [5, 6, 7, 4, 5, 6]]
    assert torch.equal(made.naive[12 + 7], expected)


def test_chunks_carry_their_state() -> None:
    data = spec(carried=True, horizon=1)
    made, one = network(data, every_step=True), batch(data)
    whole, _ = made.mode.every_step(made.window(one), None)
    state, parts = None, []
    for chunk in (slice(0, 5), slice(5, 12)):
        names = ("context", "observed", "past", "known")
        part = replace(
            one,
            lengths=torch.full((3,), chunk.stop - chunk.start),
            **{name: getattr(one, name)[:, chunk] for name in names},
        )
        numbers, state = made.mode.every_step(made.window(part), state)
        parts.append(numbers)

    torch.testing.assert_close(torch.cat(parts, dim=1), whole, **EXACT)


@pytest.mark.parametrize(
    ("changes", "choices", "told"),
    [
        ({}, {"mode": "segments", "every_step": True}, "mode segments does not predict from every"),
        ({}, {"normalisation": "last", "every_step": True}, "normalisation 'last' of a window"),
        ({"missing": True}, {"every_step": True}, "contexts that are full"),
        ({"known": ["c"]}, {"every_step": True}, "known covariates"),
        ({"carried": True}, {}, "only every_step trains on all of it"),
        ({"past": ["p"]}, {"mode": "recursive"}, "past covariates"),
        ({"lead": 3}, {"mode": "recursive"}, "data.lead is 3"),
        ({"context": 3}, {"mode": "segments"}, "segments of 4 steps in a context of 3"),
        ({}, {"mode": "direkt"}, "mode 'direkt'"),
    ],
)
def test_what_does_not_fit_is_refused(
    changes: dict[str, Any], choices: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        network(spec(**changes), **choices)


# -- horizons ----------------------------------------------------------------------------------


def test_a_recursive_forecast_goes_as_far_as_asked() -> None:
    data = spec()
    made, one = network(data, "recursive"), batch(data)

    one = replace(one, known_future=torch.zeros(3, 40, 0).double())  # as the data make it
    far = made.forecast(one, 40).point()
    assert far.shape == (3, 40, 1)
    torch.testing.assert_close(far[:, :6], made.forecast(one, 6).point(), **EXACT)


@pytest.mark.parametrize("mode", ["direct", "segments"])
def test_other_modes_refuse_another_horizon(mode: str) -> None:
    data = spec()
    with pytest.raises(UserError, match="a horizon of 7 steps"):
        network(data, mode).forecast(batch(data), 7)
