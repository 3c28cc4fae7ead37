"""Photos with captions: from files, data sets or a generator, on their way to batches."""

from seqforge_tasks.captioning.photos.caption_data import CaptionData as CaptionData
from seqforge_tasks.captioning.photos.caption_text import prepared as prepared
from seqforge_tasks.captioning.photos.caption_text import readable as readable
from seqforge_tasks.captioning.photos.image_captions import ImageCaptions as ImageCaptions
from seqforge_tasks.captioning.photos.options import CaptionOptions as CaptionOptions
from seqforge_tasks.captioning.photos.photos import Part as Part
from seqforge_tasks.captioning.photos.photos import Photos as Photos
from seqforge_tasks.captioning.photos.pictures_of import FramesOf as FramesOf
from seqforge_tasks.captioning.photos.pictures_of import PicturesOf as PicturesOf

__all__ = [
    "CaptionData",
    "CaptionOptions",
    "FramesOf",
    "ImageCaptions",
    "Part",
    "Photos",
    "PicturesOf",
    "prepared",
    "readable",
]
