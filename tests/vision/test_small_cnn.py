"""`SmallCNN`: what it makes of pictures, and what it does not depend on."""

import pytest
import torch

from seqforge.errors import UserError
from seqforge.vision import SmallCNN


def _pictures(count: int, size: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=chance, dtype=torch.uint8)


def _built(size: int = 16, channels: tuple[int, ...] = (4, 6), convolutions: int = 1) -> SmallCNN:
    torch.manual_seed(0)
    encoder = SmallCNN(channels, convolutions)
    encoder.build(size)
    return encoder


@pytest.mark.parametrize(("size", "side"), [(16, 4), (17, 5), (19, 5), (64, 16)])
@pytest.mark.parametrize("convolutions", [1, 2])
def test_the_grid_is_what_comes_out(size: int, side: int, convolutions: int) -> None:
    encoder = _built(size, convolutions=convolutions)

    features = encoder(_pictures(3, size))

    assert encoder.grid == (side, side)
    assert features.shape == (3, side * side, encoder.feature_size) == (3, side * side, 6 + 2)


def test_the_default_makes_64_regions_of_64_pixels() -> None:
    encoder = SmallCNN()
    encoder.build(64)

    assert (encoder.grid, encoder.feature_size) == ((8, 8), 130)


def test_regions_come_row_by_row() -> None:
    encoder = _built(32)
    changed = (before := _pictures(1, 32)).clone()
    changed[..., 24:, :8] = 255 - changed[..., 24:, :8]  # the lower left

    difference = (encoder(changed) - encoder(before)).abs().sum(-1).reshape(8, 8)

    # Normalisation spreads a little of it; most stays where it was.
    assert difference.argmax().item() // 8 >= 5
    assert difference.argmax().item() % 8 <= 2


def test_a_picture_does_not_depend_on_its_batch() -> None:
    encoder = _built().double().train()
    pictures = _pictures(5, 16)

    together = encoder(pictures)

    for number in range(5):
        alone = encoder(pictures[number : number + 1])[0]
        assert torch.allclose(together[number], alone, rtol=0, atol=1e-12)


def test_it_knows_where_things_are() -> None:
    # A blank picture looks the same everywhere, away from its border.
    encoder = _built(64, (8, 8))

    found = encoder(torch.full((1, 3, 64, 64), 100, dtype=torch.uint8)).reshape(16, 16, 10)
    inner, places = found[..., :8], found[..., 8:]

    assert (inner[4, 4] - inner[11, 4]).abs().max() > 1e-2
    assert (inner[4, 4] - inner[4, 11]).abs().max() > 1e-2
    for row, column in ((0, 0), (0, 15), (4, 11)):
        expected = [2 * column / 15 - 1, 2 * row / 15 - 1]
        assert places[row, column].tolist() == pytest.approx(expected)


def test_every_weight_learns() -> None:
    encoder = _built(convolutions=2)
    encoder(_pictures(4, 16)).square().sum().backward()

    for name, weight in encoder.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_it_can_be_trained_at_once() -> None:
    encoder = _built()

    assert not encoder.pretrained
    assert all(module.training for module in encoder.train().modules())


def test_weights_are_all_that_is_saved() -> None:
    assert all(name.startswith("network.") for name in _built().state_dict())


@pytest.mark.parametrize(("channels", "convolutions"), [((), 1), ((4, 0), 1), ((4,), 0)])
def test_sizes_that_make_no_network(channels: tuple[int, ...], convolutions: int) -> None:
    with pytest.raises(UserError, match="a network cannot have") as caught:
        SmallCNN(channels, convolutions)

    assert "model.task.image_encoder" in str(caught.value)


def test_pictures_that_are_too_small() -> None:
    with pytest.raises(UserError, match="pictures of 7 pixels cannot be halved 3 times") as caught:
        SmallCNN((4, 4, 4)).build(7)

    assert caught.value.accepted == ("8 or more",)
