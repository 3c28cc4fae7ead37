"""Which arguments of captioning are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqforge.errors import UserError, closest_match
from seqforge_tasks.captioning.search_options import require_valid

if TYPE_CHECKING:
    from seqforge_tasks.captioning.task import Captioning

CONDITIONINGS = ("both", "start", "attention")
POOLINGS = ("mean", "max", "places")


def require_arguments(task: Captioning) -> None:
    """Refuse arguments that are out of range.

    Raises:
        UserError: Names the first such argument.
    """
    options = task.network_options
    _require_choice("conditioning", options.conditioning, CONDITIONINGS)
    _require_choice("pooling", options.pooling, POOLINGS)
    below_one = "give a number from 0 up, below 1"
    feature_size, epoch = options.feature_size, task.finetune_epoch
    ranges: dict[str, tuple[object, bool, str]] = {
        "embedding_size": (
            options.embedding_size,
            options.embedding_size >= 1,
            "give at least 1",
        ),
        "region_size": (options.region_size, options.region_size >= 1, "give at least 1"),
        "feature_size": (
            feature_size,
            feature_size is None or feature_size >= 1,
            "give at least 1",
        ),
        "dropout": (options.dropout, 0 <= options.dropout < 1, below_one),
        "word_dropout": (options.word_dropout, 0 <= options.word_dropout < 1, below_one),
        "label_smoothing": (task.label_smoothing, 0 <= task.label_smoothing < 1, below_one),
        "doubly_stochastic": (
            task.doubly_stochastic,
            task.doubly_stochastic >= 0,
            "give 0 or more",
        ),
        "finetune_epoch": (
            epoch,
            epoch is None or epoch >= 0,
            "give an epoch, from 0; null for none",
        ),
        "self_critical_bleu": (
            task.self_critical_bleu,
            task.self_critical_bleu >= 0,
            "give 0 or more",
        ),
        "finetune_rate": (task.finetune_rate, task.finetune_rate > 0, "give a number above 0"),
    }
    for name, (given, right, todo) in ranges.items():
        if not right:
            raise UserError(f"{name} is {given}", where=f"model.task.{name}", todo=todo)
    if options.shortcut and options.conditioning == "attention":
        raise UserError(
            "a shortcut adds the pooled picture, which conditioning 'attention' leaves out",
            where="model.task.shortcut",
            todo="leave it out, or set model.task.conditioning: both",
        )
    task.rewarding.require_valid()
    require_valid(task.search_options, prefix="model.task.")
    image = task.__dict__["image_encoder"]
    if epoch is not None and not image.pretrained:
        raise UserError(
            f"{type(image).__name__} is trained from the start",
            where="model.task.finetune_epoch",
            todo="leave it out: it is for image encoders with pretrained weights",
        )


def _require_choice(name: str, given: str, accepted: Sequence[str]) -> None:
    if given not in accepted:
        raise UserError(
            f"{name} is '{given}'",
            where=f"model.task.{name}",
            accepted=accepted,
            closest=closest_match(given, accepted),
        )
