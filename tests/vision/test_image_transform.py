"""One transform from a picture to what image encoders read."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import Fit, ImageTransform

FITS: tuple[Fit, ...] = ("crop", "squash", "pad")
sides = st.integers(1, 70)


def _picture(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@given(width=sides, height=sides, size=st.integers(1, 40), fit=st.sampled_from(FITS))
@settings(max_examples=60, deadline=None)
def test_every_picture_comes_to_the_size(width: int, height: int, size: int, fit: Fit) -> None:
    found = ImageTransform(size, fit)(_picture(width, height))

    assert found.shape == (3, size, size)
    assert found.dtype == torch.uint8
    assert found.is_contiguous()


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_of_the_size_is_untouched(fit: Fit) -> None:
    picture = _picture(9, 9)

    found = ImageTransform(9, fit)(picture)

    assert np.array_equal(found.permute(1, 2, 0).numpy(), np.asarray(picture))


def test_a_crop_without_scaling_takes_the_middle() -> None:
    picture = _picture(20, 8)

    found = ImageTransform(8)(picture)

    assert np.array_equal(found.permute(1, 2, 0).numpy(), np.asarray(picture)[:, 6:14])


@pytest.mark.parametrize(("width", "height"), [(30, 30), (60, 30), (30, 60)])
def test_scaling_covers_all_pixels(width: int, height: int) -> None:
    # Stripes as wide as a pixel: scaled to a third they are their mean, with no aliasing.
    values = np.zeros((height, width, 3), dtype=np.uint8)
    values[:, ::3] = 240

    found = ImageTransform(10)(Image.fromarray(values))

    assert (found.float() - 80).abs()[:, 1:-1, 1:-1].max() <= 8


def test_the_fits_differ_as_they_say() -> None:
    values = np.zeros((10, 20, 3), dtype=np.uint8)
    values[:, :5] = 255
    picture = Image.fromarray(values)

    crop, squash, pad = (ImageTransform(10, fit)(picture)[0] for fit in FITS)

    assert crop.max() == 0, "the white quarter lies outside the middle square"
    assert squash[:, 0].min() > 250
    assert squash[:, 4:].max() < 40, "a quarter of ten columns is white, and no more"
    assert pad[:2].eq(127).all()
    assert pad[-2:].eq(127).all()
    assert pad[5, 0] > 250
    assert pad[5, -1] == 0


def test_a_strip_costs_no_memory() -> None:
    strip = Image.new("RGB", (60_000, 1), "white")

    for fit in FITS:
        assert ImageTransform(224, fit)(strip).max() == 255


@pytest.mark.parametrize("fit", FITS)
def test_the_spec_restores_it(fit: Fit) -> None:
    transform = ImageTransform(96, fit)

    assert ImageTransform.from_spec(transform.spec()) == transform
    assert transform.spec() == {"size": 96, "fit": fit}


@pytest.mark.parametrize("size", [0, -3, 4097])
def test_sizes_that_make_no_sense(size: int) -> None:
    with pytest.raises(UserError, match=f"cannot be {size} pixels wide") as caught:
        ImageTransform(size)

    assert caught.value.where == "data.image_size"


def test_a_misspelt_fit() -> None:
    with pytest.raises(UserError, match="'corp'") as caught:
        ImageTransform(8, "corp")  # type: ignore[arg-type]

    assert caught.value.closest == "crop"
    assert caught.value.where == "data.fit"
