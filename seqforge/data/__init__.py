"""Data: batches, plans (which samples make up which batch), loaders and data modules."""

from seqforge.data.base import DataModule as DataModule
from seqforge.data.batch import Batch as Batch
from seqforge.data.batch import Draw as Draw
from seqforge.data.batch import RandomSamples as RandomSamples
from seqforge.data.batch import Samples as Samples
from seqforge.data.buckets import Padded as Padded
from seqforge.data.buckets import TokenBudgetPlan as TokenBudgetPlan
from seqforge.data.buckets import padding_share as padding_share
from seqforge.data.cold import ColdWindows as ColdWindows
from seqforge.data.documents import DocumentLanes as DocumentLanes
from seqforge.data.lanes import Lanes as Lanes
from seqforge.data.lanes import TokenBatch as TokenBatch
from seqforge.data.lanes import TokenChunk as TokenChunk
from seqforge.data.lanes import Tokens as Tokens
from seqforge.data.loader import PlanLoader as PlanLoader
from seqforge.data.plan import LanePlan as LanePlan
from seqforge.data.plan import Plan as Plan
from seqforge.data.plan import SequentialPlan as SequentialPlan
from seqforge.data.plan import ShuffledPlan as ShuffledPlan
from seqforge.data.plan import rank_slice as rank_slice
from seqforge.data.position import PositionedLoader as PositionedLoader
from seqforge.data.shards import Shards as Shards
from seqforge.data.stream import StreamLoader as StreamLoader
from seqforge.data.windows import Windows as Windows

__all__ = [
    "Batch",
    "ColdWindows",
    "DataModule",
    "DocumentLanes",
    "Draw",
    "LanePlan",
    "Lanes",
    "Padded",
    "Plan",
    "PlanLoader",
    "PositionedLoader",
    "RandomSamples",
    "Samples",
    "SequentialPlan",
    "Shards",
    "ShuffledPlan",
    "StreamLoader",
    "TokenBatch",
    "TokenBudgetPlan",
    "TokenChunk",
    "Tokens",
    "Windows",
    "padding_share",
    "rank_slice",
]
