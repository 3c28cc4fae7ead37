"""Clips of different lengths in one batch are what they are alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.encoders import GRU, LSTM
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen, stacked
from tests.tasks.captioning.networks import CLIPS, Normalised, pictures, task

OPTIONS = CaptioningOptions(beam_size=3, n_best=3)


def clip(frames: int, seed: int) -> Tensor:
    return pictures(frames, seed)


def test_pictures_are_stacked_as_they_are() -> None:
    found, frames = stacked(list(pictures(3)))
    assert torch.equal(found, pictures(3))
    assert frames is None


def test_clips_are_padded_behind() -> None:
    clips = [clip(2, 0), clip(4, 1)]
    found, frames = stacked(clips)
    assert frames is not None
    assert frames.tolist() == [2, 4]
    assert torch.equal(found[0, :2], clips[0])
    assert not found[0, 2:].any()
    assert torch.equal(found[1], clips[1])


@pytest.mark.parametrize("conditioning", ["start", "attention", "both"])
@pytest.mark.parametrize("encoder", [LSTM, GRU])
@given(lengths=st.lists(st.integers(1, 6), min_size=2, max_size=4))
@settings(max_examples=8, deadline=None)
def test_a_clip_does_not_see_the_others(
    conditioning: str, encoder: type, lengths: list[int]
) -> None:
    made = task(clips=CLIPS, conditioning=conditioning, encoder=encoder)
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    together = made.captioner.caption(*_turned(*stacked(clips)))
    for one, found in zip(clips, together, strict=True):
        (alone,) = made.captioner.caption(*_turned(*stacked([one])))
        assert [each.words for each in alone] == [each.words for each in found]
        for before, after in zip(alone, found, strict=True):
            assert after.log_prob == pytest.approx(before.log_prob, abs=1e-9)
            weights = after.attention
            assert torch.allclose(weights[:, : len(one)], before.attention[:, : len(one)])
            assert not weights[:, len(one) :].any()


def _turned(
    clips: Tensor, frames: Tensor | None
) -> tuple[Tensor, CaptioningOptions, Tensor | None]:
    return clips, OPTIONS, frames


def test_the_order_of_frames_matters() -> None:
    made = task(clips=CLIPS)
    one = clip(5, 0)
    orders = (one, one.flip(0))
    first, second = (
        made.network.look(made.network.see(each[None], torch.tensor([5]))).memory.value.values
        for each in orders
    )
    assert not torch.allclose(first[:, -1], second[:, -1])


def test_gradients_reach_every_part_of_the_network() -> None:
    made = task(clips=CLIPS, shortcut=True).train()
    clips, frames = stacked([clip(2, 0), clip(4, 1)])
    seen = made.network.see(clips, frames, train_image=True)
    state = made.network.look(seen, torch.tensor([1, 0, 1]))
    inputs = torch.tensor([[2, 5], [2, 6], [2, 7]])
    decoded = made.network.decode(inputs, state, torch.tensor([2, 2, 2]))
    decoded.features.square().sum().backward()
    for name, weight in made.network.named_parameters():
        if not name.startswith("head."):
            assert weight.grad is not None, name
            assert weight.grad.abs().sum() > 0, name


def test_frames_of_a_frozen_encoder_are_the_same_in_any_batch() -> None:
    made = task(Normalised(), clips=CLIPS)
    clips = [clip(3, 0), clip(5, 1)]
    together, _ = stacked(clips)
    found = made.network.see(together, torch.tensor([3, 5]))
    assert found.features.dtype == torch.float16
    for row, one in enumerate(clips):
        alone = made.network.see(one[None], torch.tensor([len(one)]))
        assert torch.allclose(found.features[row, : len(one)], alone.features[0])
        assert not found.features[row, len(one) :].any()


@pytest.mark.parametrize("trained", [False, True])
def test_gradients_reach_a_pretrained_encoder_when_it_is_trained(trained: bool) -> None:
    image = Normalised()
    made = task(image, clips=CLIPS, finetune_epoch=1).train()
    clips, frames = stacked([clip(3, 0), clip(5, 1)])
    state = made.network.look(made.network.see(clips, frames, trained))
    state.memory.value.values.square().sum().backward()
    assert not image.norm.training
    assert (image.convolution.weight.grad is not None) == trained


def test_rows_are_taken_with_their_frames() -> None:
    seen = Seen(torch.arange(6.0).view(3, 2, 1), torch.tensor([1, 2, 2]))
    taken = seen.rows([2, 0])
    assert taken.frames is not None
    assert taken.frames.tolist() == [2, 1]
    assert taken.features[:, 0, 0].tolist() == [4.0, 0.0]
    assert Seen(seen.features).rows(torch.tensor([1])).frames is None
