import io
import random
from typing import Any, cast

import numpy as np
import pytorch_lightning as pl
import torch

from seqforge.training import RandomState
from seqforge.training.random_state import random_state, set_random_state


class FakeTrainer:
    world_size = 1
    global_rank = 0
    global_step = 0


TRAINER = cast(pl.Trainer, FakeTrainer())
MODULE = cast(pl.LightningModule, None)


def _draw() -> list[Any]:
    return [
        torch.rand(3).tolist(),
        torch.randn(1).tolist(),
        np.random.rand(2).tolist(),
        np.random.randn(),  # one of a pair: the other one is cached
        random.random(),
        random.gauss(0, 1),
    ]


def _through_a_file(value: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


def test_generators_go_on_where_they_were_saved() -> None:
    _draw()
    saved = _through_a_file(random_state())
    expected = [_draw(), _draw()]
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    _draw()
    set_random_state(saved)

    assert [_draw(), _draw()] == expected


def test_generators_are_put_back_when_training_starts_and_not_earlier() -> None:
    checkpoint: dict[str, Any] = {}
    RandomState().on_save_checkpoint(TRAINER, MODULE, checkpoint)
    expected = _draw()
    callback = RandomState()
    callback.on_load_checkpoint(TRAINER, MODULE, _through_a_file(checkpoint))
    assert _draw() != expected
    callback.on_train_start(TRAINER, MODULE)
    assert _draw() == expected
    callback.on_train_start(TRAINER, MODULE)  # a later fit of the same trainer

    assert _draw() != expected


def test_more_ranks_than_were_saved_keep_their_own_generators() -> None:
    checkpoint: dict[str, Any] = {"random": []}
    callback = RandomState()
    callback.on_load_checkpoint(TRAINER, MODULE, checkpoint)
    before = torch.get_rng_state()
    callback.on_train_start(TRAINER, MODULE)

    assert torch.equal(torch.get_rng_state(), before)


def test_ranks_that_were_seeded_alike_draw_differently_and_the_same_again() -> None:
    def drawn(rank: int, step: int) -> str:
        pl.seed_everything(3, verbose=False)
        trainer = FakeTrainer()
        trainer.global_rank, trainer.global_step = rank, step
        RandomState().on_train_start(cast(pl.Trainer, trainer), MODULE)
        return str(_draw())

    places = [(0, 0), (1, 0), (2, 0), (1, 7)]

    assert len({drawn(*place) for place in places}) == len(places)
    assert [drawn(*place) for place in places] == [drawn(*place) for place in places]
