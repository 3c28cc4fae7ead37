"""Arguments of the task that are out of range are refused."""

import math
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge.vision import SmallCNN
from seqforge_tasks.captioning import Captioning
from tests.tasks.captioning.networks import Normalised


@pytest.mark.parametrize(
    ("name", "value", "todo"),
    [
        ("conditioning", "neither", "accepted: attention, both, start"),
        ("embedding_size", 0, "give at least 1"),
        ("region_size", 0, "give at least 1"),
        ("feature_size", 0, "give at least 1"),
        ("dropout", 1.0, "below 1"),
        ("dropout", math.nan, "below 1"),
        ("word_dropout", -0.1, "below 1"),
        ("label_smoothing", 1.0, "below 1"),
        ("doubly_stochastic", -1.0, "0 or more"),
        ("finetune_epoch", -1, "from 0"),
        ("finetune_rate", 0.0, "above 0"),
        ("self_critical_epoch", -1, "from 0"),
        ("self_critical_rate", 0.0, "above 0"),
        ("self_critical_bleu", -1.0, "0 or more"),
        ("pooling", "sum", "accepted: max, mean"),
        ("beam_size", 0, "from 1 to 1000"),
        ("length_penalty", -1.0, "from 0"),
    ],
)
def test_arguments_out_of_range(name: str, value: Any, todo: str) -> None:
    with pytest.raises(UserError) as caught:
        Captioning(Normalised(), **{name: value})

    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert lines[0].startswith(f"{name} is ")
    assert lines[1] == f"  where: model.task.{name}"
    assert todo in lines[2]


def test_only_pretrained_encoders_are_fine_tuned() -> None:
    with pytest.raises(UserError, match="SmallCNN is trained from the start") as caught:
        Captioning(SmallCNN(), finetune_epoch=3)
    assert caught.value.where == "model.task.finetune_epoch"
    Captioning(Normalised(), finetune_epoch=3)


def test_a_shortcut_needs_what_is_pooled() -> None:
    with pytest.raises(UserError, match="leaves out") as caught:
        Captioning(Normalised(), shortcut=True, conditioning="attention")
    assert caught.value.where == "model.task.shortcut"
    Captioning(Normalised(), shortcut=True, conditioning="start")


def test_an_unknown_baseline() -> None:
    with pytest.raises(UserError, match="self_critical_baseline is 'greddy'") as caught:
        Captioning(Normalised(), self_critical_baseline="greddy")  # type: ignore[arg-type]
    assert caught.value.closest == "greedy"
