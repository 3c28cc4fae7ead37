"""Captioning: a network that describes pictures or clips, and what it learns from."""

from seqforge_tasks.captioning.captioner import Candidate as Candidate
from seqforge_tasks.captioning.captioner import Captioner as Captioner
from seqforge_tasks.captioning.clips.video_captions import VideoCaptions as VideoCaptions
from seqforge_tasks.captioning.moving.moving_shapes import MovingShapes as MovingShapes
from seqforge_tasks.captioning.photos.image_captions import ImageCaptions as ImageCaptions
from seqforge_tasks.captioning.scenes.scenes import Scenes as Scenes
from seqforge_tasks.captioning.search_options import CaptioningOptions as CaptioningOptions
from seqforge_tasks.captioning.task import Captioning as Captioning

__all__ = [
    "Candidate",
    "Captioner",
    "Captioning",
    "CaptioningOptions",
    "ImageCaptions",
    "MovingShapes",
    "Scenes",
    "VideoCaptions",
]
