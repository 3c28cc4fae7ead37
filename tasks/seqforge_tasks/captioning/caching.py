"""Features of frozen image encoders, computed once for the photos of a fit."""

from __future__ import annotations

import sys
from functools import partial

import torch

from seqforge.data import DataModule
from seqforge.vision import FeatureCache
from seqforge_tasks.captioning.network import CaptioningNetwork
from seqforge_tasks.captioning.photos.caption_data import CaptionData


def serve_frozen_features(
    network: CaptioningNetwork, data: DataModule, until_epoch: int | None
) -> None:
    """Let data give the features of an image encoder that rests, instead of pictures or frames.

    Args:
        network: Whose image encoder.
        data: The data of the fit; if it is not of this task, or the fit is resumed in an epoch
            that trains the image encoder, it stays as it is.
        until_epoch: The first epoch in which the image encoder is trained; None: it never is.
    """
    if not isinstance(data, CaptionData):
        return
    if until_epoch is not None and data.epoch_taken_up >= until_epoch:
        return  # features would be computed with the weights of that moment, and never be used
    cache = FeatureCache(data.feature_folder, partial(print, file=sys.stderr, flush=True))
    image, transform = network.image, data.transform
    # When a fit starts the network is not on the trainer's device yet.
    device = data.trainer.strategy.root_device if data.trainer else torch.device("cpu")
    features = cache.features(image, transform, data.pictures("train"), device)
    data.serve_features(features, until_epoch)
    if until_epoch is None and "validation" in data.parts:
        features = cache.features(image, transform, data.pictures("validation"), device)
        data.serve_evaluation_features("validation", features)
