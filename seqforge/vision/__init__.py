"""Pictures: reading them, the one transform, image encoders and the cache of their features."""

from seqforge.vision.efficientnet_lite import EfficientNetLite as EfficientNetLite
from seqforge.vision.feature_cache import FeatureCache as FeatureCache
from seqforge.vision.frozen_features import frozen_features as frozen_features
from seqforge.vision.image_encoder import ImageEncoder as ImageEncoder
from seqforge.vision.image_reading import read_image as read_image
from seqforge.vision.image_transform import Fit as Fit
from seqforge.vision.image_transform import ImageTransform as ImageTransform
from seqforge.vision.picture_batches import Pictures as Pictures
from seqforge.vision.small_cnn import SmallCNN as SmallCNN
from seqforge.vision.transformers_backbone import TransformersBackbone as TransformersBackbone

__all__ = [
    "EfficientNetLite",
    "FeatureCache",
    "Fit",
    "ImageEncoder",
    "ImageTransform",
    "Pictures",
    "SmallCNN",
    "TransformersBackbone",
    "frozen_features",
    "read_image",
]
