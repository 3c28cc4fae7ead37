"""Moving shapes: clips that are drawn, with captions of a small grammar."""

from seqforge_tasks.captioning.moving.motion import Motion as Motion
from seqforge_tasks.captioning.moving.moving_part import MovingPart as MovingPart
from seqforge_tasks.captioning.moving.moving_shapes import MovingShapes as MovingShapes

__all__ = ["Motion", "MovingPart", "MovingShapes"]
