from dataclasses import dataclass

import torch
from torch import Tensor

from seqforge.data import Batch


@dataclass(kw_only=True)
class Inner(Batch):
    values: Tensor


@dataclass(kw_only=True)
class Outer(Batch):
    inner: Inner
    names: tuple[str, ...] = ()


def test_every_tensor_moves_in_nested_batches_too() -> None:
    inner = Inner(ids=torch.zeros(2), values=torch.ones(2, 3))
    moved = Outer(ids=torch.zeros(2), inner=inner, names=("a", "b")).to("meta")

    assert moved.ids.is_meta
    assert moved.inner.values.is_meta
    assert moved.inner.values.shape == (2, 3)
    assert moved.starts is None
    assert moved.names == ("a", "b")
    assert not inner.values.is_meta
