"""Pictures: reading them, the one transform, image encoders and the cache of their features."""

from seqforge.vision.clip_reading import ANIMATIONS as ANIMATIONS
from seqforge.vision.clip_reading import VIDEOS as VIDEOS
from seqforge.vision.clip_reading import read_clip as read_clip
from seqforge.vision.clip_reading import read_frames as read_frames
from seqforge.vision.efficientnet_lite import EfficientNetLite as EfficientNetLite
from seqforge.vision.feature_cache import FeatureCache as FeatureCache
from seqforge.vision.frame_sampling import FrameSampling as FrameSampling
from seqforge.vision.frozen_features import frozen_features as frozen_features
from seqforge.vision.image_encoder import ImageEncoder as ImageEncoder
from seqforge.vision.image_reading import read_image as read_image
from seqforge.vision.image_transform import Fit as Fit
from seqforge.vision.image_transform import ImageTransform as ImageTransform
from seqforge.vision.picture_batches import Pictures as Pictures
from seqforge.vision.pooled_image_encoder import PooledImageEncoder as PooledImageEncoder
from seqforge.vision.pooled_image_encoder import Pooling as Pooling
from seqforge.vision.pooled_image_encoder import pooled as pooled
from seqforge.vision.pooled_image_encoder import pooled_size as pooled_size
from seqforge.vision.small_cnn import SmallCNN as SmallCNN
from seqforge.vision.transformers_backbone import TransformersBackbone as TransformersBackbone

__all__ = [
    "ANIMATIONS",
    "VIDEOS",
    "EfficientNetLite",
    "FeatureCache",
    "Fit",
    "FrameSampling",
    "ImageEncoder",
    "ImageTransform",
    "Pictures",
    "PooledImageEncoder",
    "Pooling",
    "SmallCNN",
    "TransformersBackbone",
    "frozen_features",
    "pooled",
    "pooled_size",
    "read_clip",
    "read_frames",
    "read_image",
]
