"""Data: batches, plans (which samples make up which batch), loaders and data modules."""

from seqforge.data.base import DataModule as DataModule
from seqforge.data.batch import Batch as Batch
from seqforge.data.batch import Samples as Samples
from seqforge.data.lanes import Lanes as Lanes
from seqforge.data.lanes import TokenBatch as TokenBatch
from seqforge.data.lanes import TokenChunk as TokenChunk
from seqforge.data.loader import PlanLoader as PlanLoader
from seqforge.data.plan import LanePlan as LanePlan
from seqforge.data.plan import Plan as Plan
from seqforge.data.plan import SequentialPlan as SequentialPlan
from seqforge.data.plan import ShuffledPlan as ShuffledPlan
from seqforge.data.plan import rank_slice as rank_slice

__all__ = [
    "Batch",
    "DataModule",
    "LanePlan",
    "Lanes",
    "Plan",
    "PlanLoader",
    "Samples",
    "SequentialPlan",
    "ShuffledPlan",
    "TokenBatch",
    "TokenChunk",
    "rank_slice",
]
