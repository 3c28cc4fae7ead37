"""The Lorenz equations."""

import numpy as np

from seqforge_tasks.forecasting.series.generated.lorenz import lorenz


def test_the_equations_hold_along_the_series() -> None:
    points = lorenz(2, 400, step=0.002, transient=0)
    change = (points[:, 2:] - points[:, :-2]) / 0.004  # central differences
    x, y, z = np.moveaxis(points[:, 1:-1], 2, 0)

    expected = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=2)

    np.testing.assert_allclose(change, expected, atol=0.15, rtol=2e-3)


def test_the_integration_is_of_fourth_order() -> None:
    # the same time of 0.4, in steps of 0.02, 0.01 and 0.005
    ends = [lorenz(4, count, 0.4 / count, transient=0)[:, -1] for count in (20, 40, 80)]

    coarse, fine = np.abs(ends[0] - ends[1]).max(), np.abs(ends[1] - ends[2]).max()

    assert 10 < coarse / fine < 24


def test_series_depend_on_the_seed_and_their_number_alone() -> None:
    many = lorenz(4, 50, seed=1)

    np.testing.assert_array_equal(many[:2], lorenz(2, 50, seed=1))
    assert not np.allclose(many[0], many[1])
    assert not np.allclose(many[0], lorenz(1, 50, seed=2)[0])
    np.testing.assert_array_equal(lorenz(1, 50, transient=9)[0], lorenz(1, 59, transient=0)[0, 9:])


def test_the_attractor_is_the_known_one() -> None:
    x, y, z = np.moveaxis(lorenz(4, 4000), 2, 0)

    assert (x > 5).any()
    assert (x < -5).any()
    assert np.abs(x).max() < 22
    assert np.abs(y).max() < 30
    assert z.min() > 0
    assert z.max() < 50
    assert 22 < z.mean() < 25
