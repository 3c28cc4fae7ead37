"""The Mackey-Glass equation."""

import numpy as np
import pytest

from seqforge_tasks.forecasting.series.generated.mackey_glass import mackey_glass


def reference(length: int, tau: int, generator: np.random.Generator) -> list[float]:
    """Integrate one series by Euler's method, a number at a time."""
    history = list(1.2 + 0.2 * (generator.random(tau * 10) - 0.5))
    value, points = 1.2, []
    for step in range(length * 10):
        delayed = history[-tau * 10]
        history.append(value)
        value += 0.1 * (0.2 * delayed / (1 + delayed**10) - 0.1 * value)
        if (step + 1) % 10 == 0:
            points.append(value)
    return points


@pytest.mark.parametrize("tau", [17, 30])
def test_every_series_is_integrated_as_if_it_were_alone(tau: int) -> None:
    found = mackey_glass(3, 150, tau, seed=4)

    for number, series in enumerate(found):
        expected = reference(150, tau, np.random.default_rng([4, number]))
        np.testing.assert_allclose(series, expected, rtol=1e-9)


def test_series_depend_on_the_seed_and_their_number_alone() -> None:
    many = mackey_glass(5, 60, seed=1)

    np.testing.assert_array_equal(many[:2], mackey_glass(2, 60, seed=1))
    assert not np.allclose(many[0], many[1])
    assert not np.allclose(many[0], mackey_glass(1, 60, seed=2)[0])


def test_a_transient_is_left_out() -> None:
    np.testing.assert_array_equal(mackey_glass(2, 50, transient=30), mackey_glass(2, 80)[:, 30:])


def test_the_attractor_is_the_known_one() -> None:
    series = mackey_glass(1, 3000, transient=500)[0]

    # tau = 17: between 0.2 and 1.4, around 0.93, turning in about 50 units of time
    assert 0.2 < series.min() < 0.45
    assert 1.25 < series.max() < 1.4
    assert 0.88 < series.mean() < 0.97
    spectrum = np.abs(np.fft.rfft(series - series.mean()))
    assert 45 < len(series) / spectrum.argmax() < 56
