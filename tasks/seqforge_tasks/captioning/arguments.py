"""Which arguments of captioning are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqforge.errors import UserError, closest_match

if TYPE_CHECKING:
    from seqforge_tasks.captioning.task import Captioning

CONDITIONINGS = ("both", "start", "attention")


def require_arguments(task: Captioning) -> None:
    """Refuse arguments that are out of range.

    Raises:
        UserError: Names the first such argument.
    """
    options = task.network_options
    if options.conditioning not in CONDITIONINGS:
        raise UserError(
            f"conditioning is '{options.conditioning}'",
            where="model.task.conditioning",
            accepted=CONDITIONINGS,
            closest=closest_match(options.conditioning, CONDITIONINGS),
        )
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
        "finetune_rate": (task.finetune_rate, task.finetune_rate > 0, "give a number above 0"),
    }
    for name, (given, right, todo) in ranges.items():
        if not right:
            raise UserError(f"{name} is {given}", where=f"model.task.{name}", todo=todo)
    image = task.__dict__["image_encoder"]
    if epoch is not None and not image.pretrained:
        raise UserError(
            f"{type(image).__name__} is trained from the start",
            where="model.task.finetune_epoch",
            todo="leave it out: it is for image encoders with pretrained weights",
        )
