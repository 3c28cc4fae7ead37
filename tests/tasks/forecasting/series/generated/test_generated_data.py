"""Generated series as data modules."""

from typing import Any

import numpy as np
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.generated.lorenz import lorenz
from seqforge_tasks.forecasting.series.generated.lorenz_data import Lorenz
from seqforge_tasks.forecasting.series.generated.mackey_glass import mackey_glass
from seqforge_tasks.forecasting.series.generated.mackey_glass_data import MackeyGlass


@pytest.mark.parametrize("squash", [False, True])
def test_mackey_glass_is_centred_by_its_training_series(squash: bool) -> None:
    data = MackeyGlass(series=8, length=200, squash=squash, series_seed=3)
    data.setup("fit")

    values = mackey_glass(8, 200, seed=3)
    values = np.tanh(values - 1) if squash else values
    trained = values[:4]
    assert data.panel is not None
    expected = (values.reshape(-1, 1) - trained.mean()) / trained.std()
    np.testing.assert_allclose(data.panel.values, expected, rtol=1e-5, atol=1e-6)
    sizes = [int(each.split(": ")[1]) for each in data.notes()[1][9:].split("   ")]
    assert sizes == [4 * (200 - 128 - 48 + 1), 2 * 25, 2 * 25]


def test_the_protocol_of_whole_sequences() -> None:
    data = MackeyGlass(
        series=8, length=200, train=2, validation=2, test=4, carried=True, squash=True,
        context=37, horizon=1, lead=15, batch_size=2,
    )  # fmt: skip
    data.setup("fit")

    training = list(data.train_dataloader())
    test = list(data.test_dataloader()["test"])

    assert [each.context.shape for each in training] == [(2, 37, 1)] * 5  # type: ignore[attr-defined]
    assert [each.context.shape for each in test] == [(2, 185, 1)] * 2  # type: ignore[attr-defined]


def test_lorenz_has_three_channels() -> None:
    data = Lorenz(series=4, length=150)
    data.setup("fit")

    assert data.spec()["channels"] == ["x", "y", "z"]
    trained = lorenz(4, 150)[:2].reshape(-1, 3)
    assert data.panel is not None
    np.testing.assert_allclose(data.panel.scales.location[0], trained.mean(axis=0))


@pytest.mark.parametrize("kind", [MackeyGlass, Lorenz])
@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"series": 0}, "data.series"),
        ({"length": 1}, "data.length"),
        ({"transient": -1}, "data.transient"),
        ({"context": 0}, "data.context"),
    ],
)
def test_what_is_refused(kind: Any, arguments: dict[str, int], where: str) -> None:
    with pytest.raises(UserError) as caught:
        kind(**arguments)

    assert caught.value.where == where


def test_what_only_one_of_them_refuses() -> None:
    with pytest.raises(UserError, match="tau is 0") as caught:
        MackeyGlass(tau=0.0)
    assert caught.value.where == "data.tau"
    with pytest.raises(UserError, match=r"step is 0\.5") as caught:
        Lorenz(step=0.5)
    assert caught.value.where == "data.step"
