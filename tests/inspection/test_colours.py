import numpy as np
import pytest

from seqforge.inspection.colours import INK, css, scaled, shades


def luminance(colour: np.ndarray) -> float:
    """Relative luminance as the Web Content Accessibility Guidelines 2.1 define it."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("activation", np.linspace(-1, 1, 21))
def test_text_stays_readable_on_every_ground(activation: float) -> None:
    (ground,) = shades(np.array([activation]))
    ink = np.array(INK) / 255

    contrast = (luminance(ground) + 0.05) / (luminance(ink) + 0.05)

    assert contrast >= 7  # level AAA


def test_the_ends_differ_in_more_than_red_and_green() -> None:
    low, middle, high = shades(np.array([-1.0, 0.0, 1.0]))

    assert low[2] - high[2] > 0.3  # blue, which colour-blind readers see
    assert list(middle) == [1, 1, 1]
    assert list(shades(np.array([-7.0]))[0]) == list(low)


def test_activations_beyond_1_are_scaled() -> None:
    assert list(scaled(np.array([-4.0, 2.0]))) == [-1, 0.5]
    assert list(scaled(np.array([-0.5, 0.25]))) == [-0.5, 0.25]
    assert css((1, 2, 3)) == "rgb(1, 2, 3)"
