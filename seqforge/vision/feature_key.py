"""What features depend on, as one short text."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from typing import Final

import torch

from seqforge.vision.image_encoder import ImageEncoder
from seqforge.vision.image_transform import ImageTransform

FORMAT: Final = 1
"""Changes with what the files mean; features of another format are computed anew."""


def feature_key(encoder: ImageEncoder, transform: ImageTransform, keys: Sequence[str]) -> str:
    """Hash all that the features of some pictures depend on.

    Args:
        encoder: Its weights, class and arguments count.
        transform: What the pictures went through.
        keys: Content hashes of the pictures' files, in order.

    Returns:
        64 hexadecimal digits of SHA-256.
    """
    cls = type(encoder)
    arguments = {name: getattr(encoder, name) for name in inspect.signature(cls).parameters}
    about = {
        "format": FORMAT,
        "class": f"{cls.__module__}.{cls.__qualname__}",
        "arguments": arguments,
        "transform": transform.spec(),
        "pictures": list(keys),
    }
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    for name, weight in encoder.state_dict().items():
        values = weight.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
