"""Clips with captions, from files."""

from seqforge_tasks.captioning.clips.video_captions import VideoCaptions as VideoCaptions

__all__ = ["VideoCaptions"]
