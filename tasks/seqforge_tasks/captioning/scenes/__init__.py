"""Scenes: pictures that are drawn, with captions of a small grammar."""

from seqforge_tasks.captioning.scenes.description import Description as Description
from seqforge_tasks.captioning.scenes.description import Group as Group
from seqforge_tasks.captioning.scenes.description import Pair as Pair
from seqforge_tasks.captioning.scenes.pairs import all_pairs as all_pairs
from seqforge_tasks.captioning.scenes.pairs import held_out_pairs as held_out_pairs
from seqforge_tasks.captioning.scenes.pairs import validation_pairs as validation_pairs
from seqforge_tasks.captioning.scenes.scene_part import Scene as Scene
from seqforge_tasks.captioning.scenes.scene_part import ScenePart as ScenePart
from seqforge_tasks.captioning.scenes.scenes import Scenes as Scenes

__all__ = [
    "Description",
    "Group",
    "Pair",
    "Scene",
    "ScenePart",
    "Scenes",
    "all_pairs",
    "held_out_pairs",
    "validation_pairs",
]
