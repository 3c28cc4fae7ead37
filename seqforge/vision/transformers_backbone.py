"""`TransformersBackbone`: any vision model of the transformers library, by name or folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from seqforge.errors import UserError, require
from seqforge.vision.image_encoder import ImageEncoder

EXTRA = "transformers"
KEY = "model.task.image_encoder"

LEFT_OUT = {
    "architectures",
    "dtype",
    "torch_dtype",
    "id2label",
    "label2id",
    "transformers_version",
    # What could make a stranger's configuration fetch something, or run code that it brings.
    "attn_implementation",
    "auto_map",
    "backbone",
    "experts_implementation",
    "quantization_config",
    "use_kernels",
    "use_pretrained_backbone",
    "use_timm_backbone",
}
"""Keys of a model's configuration that are not kept, nor those that begin with "_"."""


class TransformersBackbone(ImageEncoder):
    """A vision model of the transformers library: ResNet, ConvNeXt, ViT, DINOv2, Swin, CLIP's, ….

    Needs `pip install "seqforge-lightning[transformers]"`. Its configuration and weights are read
    when a fresh fit starts and saved in checkpoints, which then load without either. It normalises
    pictures as the model's own processor does; their size is that of the data.

    Args:
        name: A model's name on the Hugging Face hub, such as `facebook/dinov2-small`, or a folder
            that `save_pretrained` wrote, with its preprocessor_config.json.
        config: Left out: it is read by `name`, and kept here so that checkpoints have it.
    """

    pretrained: bool = True
    network: Any  # of a library whose models have no common type

    def __init__(self, name: str, config: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self.config = config

    def build(self, size: int) -> None:
        """Make the network for pictures of `size` times `size` pixels; weights are random yet.

        Raises:
            UserError: transformers is not installed, there is no such model, it is none that reads
                pictures, or none of this size.
        """
        transformers = require("transformers", EXTRA)
        if self.config is None:
            self.config = _read_config(self.name)
        self.network = transformers.AutoModel.from_config(_model_config(self.config))
        self.train(self.training)
        for name in ("mean", "std"):
            values = torch.tensor(self.config[name], dtype=torch.float32).reshape(1, -1, 1, 1)
            self.register_buffer(name, values, persistent=False)
        self._measure(size)

    def initialise(self) -> None:
        """Load the pretrained weights.

        Raises:
            UserError: They cannot be had, or do not fit.
        """
        transformers = require("transformers", EXTRA)
        assert self.config is not None, "build comes first"
        config = _model_config(self.config)
        try:
            with _quiet(transformers.utils.logging):
                source, report = transformers.AutoModel.from_pretrained(
                    self.name, config=config, dtype=torch.float32, output_loading_info=True
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise _unavailable(self.name, error) from error
        missing = [name for name in report["missing_keys"] if not name.startswith("pooler.")]
        if missing:
            raise UserError(
                f"'{self.name}' has no weights for {missing[0]}, and {len(missing) - 1} more",
                where=f"{KEY}.name",
                todo="give a model that was trained on pictures",
            )
        self.network.load_state_dict(source.state_dict())

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of each region, `(B, P, C)`, of pictures `(B, 3, S, S)` uint8."""
        mean, std = self.get_buffer("mean"), self.get_buffer("std")
        values = (pictures.to(mean.dtype) / 255 - mean) / std
        features: Tensor = self.network(pixel_values=values).last_hidden_state
        if features.dim() == 4:
            return features.flatten(2).transpose(1, 2)
        # Tokens for the whole picture, where a model has some, come first.
        return features[:, features.shape[1] - math.prod(self.grid) :]

    def _measure(self, size: int) -> None:
        """Find out, by reading a picture, how large the features are and what they depend on."""
        weight = next(self.network.parameters())
        blank = torch.zeros(1, 3, size, size, device=weight.device, dtype=weight.dtype)
        try:
            with torch.enable_grad():
                features = self.network(pixel_values=blank).last_hidden_state
        except (ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise self._unsuitable(size, str(error)) from error
        self.grid = self._grid_of(features, size)
        self.feature_size = features.shape[1] if features.dim() == 4 else features.shape[2]
        # What only a summary of the picture depends on, such as a pooler, gets no gradients ever:
        # processes that reduce them would wait for those.
        parameters = [each for each in self.network.parameters() if each.requires_grad]
        gradients = torch.autograd.grad(features.sum(), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(gradient is not None)

    def _grid_of(self, features: Tensor, size: int) -> tuple[int, int]:
        if features.dim() == 4:
            return (features.shape[2], features.shape[3])
        tokens = features.shape[1]
        patch = getattr(self.network.config, "patch_size", None)
        side = size // patch if isinstance(patch, int) else 0
        if not 0 < side * side <= tokens:
            side = math.isqrt(tokens)  # merged patches, as Swin's: no other tokens
            if side * side != tokens:
                raise self._unsuitable(size, f"its {tokens} tokens make no grid")
        return (side, side)

    def _unsuitable(self, size: int, cause: str) -> UserError:
        reads = getattr(self.network.config, "image_size", None)
        return UserError(
            f"'{self.name}' cannot read pictures of {size} pixels: {cause}",
            where=f"{KEY}.name",
            todo=f"give it the size that it reads: --data.image_size {reads}"
            if isinstance(reads, int) and reads != size
            else "give another size, --data.image_size, or a model that makes a grid of features",
        )


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Keep the library from reporting on weights that are left out, such as a text encoder's."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _read_config(name: str) -> dict[str, Any]:
    """Return a model's configuration and its processor's normalisation, as plain values."""
    transformers = require("transformers", EXTRA)
    try:
        config = transformers.AutoConfig.from_pretrained(name)
        processor, _ = transformers.ImageProcessingMixin.get_image_processor_dict(name)
    except (OSError, ValueError) as error:
        raise _unavailable(name, error) from error
    if "image_mean" not in processor or "image_std" not in processor:
        raise UserError(
            f"'{name}' does not say how it normalises pictures (image_mean, image_std)",
            where=f"{KEY}.name",
            todo="give a model that has them in its preprocessor_config.json",
        )
    # Of a model for pictures and texts, the part for pictures.
    seeing = getattr(config, "vision_config", config)
    return {
        "model": _kept(seeing.to_dict()),
        "mean": list(processor["image_mean"]),
        "std": list(processor["image_std"]),
    }


def _kept(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(key): _kept(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if str(key) not in LEFT_OUT and not str(key).startswith("_")
    }


def _model_config(config: Mapping[str, Any]) -> Any:
    """Make the library's configuration of the plain values, which may be a stranger's."""
    transformers = require("transformers", EXTRA)
    values = _kept(config["model"])
    return transformers.AutoConfig.for_model(values.pop("model_type"), **values)


def _unavailable(name: str, error: Exception) -> UserError:
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return UserError(
        f"there is no model '{name}' to be had: {said}",
        where=f"{KEY}.name",
        todo="check the name and the connection, or give a folder that save_pretrained wrote",
    )
