"""`TransformersBackbone`: models of the library, from folders of tiny ones with random weights."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import seqforge
from seqforge import checkpoint, registry
from seqforge.encoders import GRU, EncoderFactory
from seqforge.errors import MissingExtra, UserError
from seqforge.vision import TransformersBackbone
from tests.test_checkpoint_parts import Watching

transformers: Any = pytest.importorskip("transformers")

SIZE = 32
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def _resnet() -> Any:
    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 6], depths=[1, 1], layer_type="basic"
    )
    return transformers.ResNetModel(config)


def _vit() -> Any:
    config = transformers.ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=SIZE,
        patch_size=8,
        hidden_dropout_prob=0.5,
    )
    return transformers.ViTModel(config)


def _swin() -> Any:
    config = transformers.SwinConfig(
        image_size=SIZE, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4
    )
    return transformers.SwinModel(config)


def _clip() -> Any:
    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    config = transformers.CLIPConfig(
        text_config={**small, "vocab_size": 20},
        vision_config={**small, "image_size": SIZE, "patch_size": 8},
    )
    return transformers.CLIPModel(config)


MODELS: dict[str, tuple[Callable[[], Any], tuple[int, int], int]] = {
    "resnet": (_resnet, (4, 4), 6),
    "vit": (_vit, (4, 4), 8),
    "swin": (_swin, (4, 4), 16),
    "clip": (_clip, (4, 4), 8),
}


def _save(model: Any, folder: Path, **processor: Any) -> Path:
    model.save_pretrained(folder)
    values = processor or {"image_mean": MEAN, "image_std": STD}
    (folder / "preprocessor_config.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def _pictures(count: int = 2, size: int = SIZE) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=chance, dtype=torch.uint8)


def _fresh(folder: Path) -> TransformersBackbone:
    encoder = TransformersBackbone(str(folder))
    encoder.build(SIZE)
    encoder.initialise()
    return encoder


@pytest.fixture(scope="module", params=MODELS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(kind: str) -> Any:
    torch.manual_seed(0)
    return MODELS[kind][0]().eval()


@pytest.fixture(scope="module")
def folder(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(model, tmp_path_factory.mktemp("model"))


def test_features_are_those_of_the_library(kind: str, model: Any, folder: Path) -> None:
    encoder = _fresh(folder)
    normalised = (_pictures() / 255 - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(
        STD
    ).reshape(3, 1, 1)

    with torch.no_grad():
        found = encoder.train()(_pictures())
        seeing = getattr(model, "vision_model", model)
        expected = seeing(pixel_values=normalised).last_hidden_state
    expected = expected.flatten(2).transpose(1, 2) if expected.dim() == 4 else expected[:, -16:]

    assert (encoder.grid, encoder.feature_size) == MODELS[kind][1:]
    assert found.shape == (2, 16, encoder.feature_size)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_checkpoint_needs_neither_name_nor_folder(folder: Path, tmp_path: Path) -> None:
    encoder = _fresh(folder)
    task = Watching(encoder)
    described = checkpoint.describe(task, EncoderFactory(GRU), {})
    described["task"]["init_args"]["eyes"]["init_args"]["name"] = str(tmp_path / "nowhere")
    torch.save({"seqforge": described, "state_dict": {}}, tmp_path / "a.ckpt")
    with registry.temporarily(("seqforge.tasks", Watching)):
        loaded = seqforge.load(tmp_path / "a.ckpt")
    assert isinstance(loaded, Watching)
    assert isinstance(loaded.eyes, TransformersBackbone)

    loaded.eyes.build(SIZE)
    loaded.eyes.load_state_dict(encoder.state_dict())

    assert torch.equal(loaded.eyes(_pictures()), encoder(_pictures()))


def test_weights_are_loaded_without_a_word(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    level = transformers.utils.logging.get_verbosity()
    capfd.readouterr()

    _fresh(folder)

    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.get_verbosity() == level
    assert transformers.utils.logging.is_progress_bar_enabled()


def test_what_features_depend_on_gets_gradients_and_nothing_else(folder: Path) -> None:
    encoder = _fresh(folder)
    before = {name: value.clone() for name, value in encoder.network.named_buffers()}
    encoder.train()(_pictures()).square().sum().backward()

    learning = [weight for weight in encoder.parameters() if weight.requires_grad]
    assert learning
    assert all(weight.grad is not None for weight in learning)
    for name, value in encoder.network.named_buffers():
        assert torch.equal(value, before[name]), name


def test_what_a_file_says_cannot_fetch_or_run_anything(tmp_path: Path) -> None:
    encoder = _fresh(_save(_resnet(), tmp_path / "resnet"))
    assert encoder.config is not None
    hostile = {
        "auto_map": {"AutoModel": "stranger/code--model.Model"},
        "attn_implementation": "stranger/kernels",
        "_attn_implementation": "stranger/kernels",
        "quantization_config": {"quant_method": "awq"},
        "backbone": "stranger/weights",
        "use_pretrained_backbone": True,
    }
    model = {**encoder.config["model"], **hostile, "nested": dict(hostile)}
    other = TransformersBackbone("nowhere", {**encoder.config, "model": model})

    other.build(SIZE)

    kept = other.network.config.to_dict()
    assert kept["nested"] == {}
    assert "stranger" not in json.dumps(kept)


def test_sizes_that_a_model_cannot_read(tmp_path: Path) -> None:
    folder = _save(_vit(), tmp_path / "vit")
    with pytest.raises(UserError, match=r"cannot read pictures of 40 pixels") as caught:
        TransformersBackbone(str(folder)).build(40)

    assert caught.value.todo == f"give it the size that it reads: --data.image_size {SIZE}"


def test_a_model_that_reads_no_pictures(tmp_path: Path) -> None:
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9
    )
    folder = _save(transformers.BertModel(config), tmp_path / "bert")
    with pytest.raises(UserError, match="cannot read pictures of 32 pixels") as caught:
        TransformersBackbone(str(folder)).build(SIZE)

    assert "a model that makes a grid" in caught.value.todo
    assert len(str(caught.value).splitlines()) <= 5


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model") as caught:
        TransformersBackbone(str(tmp_path / "nowhere")).build(SIZE)

    assert caught.value.where == "model.task.image_encoder.name"
    assert len(str(caught.value).splitlines()) <= 5


def test_a_folder_without_normalisation(tmp_path: Path) -> None:
    folder = _save(_resnet(), tmp_path / "resnet", size=224)
    with pytest.raises(UserError, match="does not say how it normalises"):
        TransformersBackbone(str(folder)).build(SIZE)

    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="there is no model"):
        TransformersBackbone(str(folder)).build(SIZE)


def test_weights_that_are_missing(tmp_path: Path) -> None:
    folder = _save(_resnet(), tmp_path / "resnet")
    encoder = TransformersBackbone(str(folder))
    encoder.build(SIZE)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="there is no model"):
        encoder.initialise()


def test_weights_of_another_model(tmp_path: Path) -> None:
    folder = _save(_vit(), tmp_path / "vit")
    _resnet().save_pretrained(tmp_path / "resnet")
    encoder = TransformersBackbone(str(folder))
    encoder.build(SIZE)
    (tmp_path / "resnet" / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(UserError, match="has no weights for") as caught:
        encoder.initialise()

    assert caught.value.where == "model.task.image_encoder.name"


def test_the_library_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match="'transformers'") as caught:
        TransformersBackbone("facebook/dinov2-small").build(SIZE)

    assert caught.value.todo == 'pip install "seqforge-lightning[transformers]"'
