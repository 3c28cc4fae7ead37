"""Training: the one LightningModule, exact loss, carried state, schedules, checkpoints."""

from seqforge.training.atomic_io import AtomicCheckpointIO as AtomicCheckpointIO
from seqforge.training.averaging import WeightAverage as WeightAverage
from seqforge.training.carry import Carry as Carry
from seqforge.training.checkpointer import Checkpointer as Checkpointer
from seqforge.training.early_stopping import EarlyStopping as EarlyStopping
from seqforge.training.exact_loss import LossSums as LossSums
from seqforge.training.failures import NonFiniteLoss as NonFiniteLoss
from seqforge.training.history import MetricHistory as MetricHistory
from seqforge.training.predictions import Predictions as Predictions
from seqforge.training.previews import Samples as Samples
from seqforge.training.random_state import RandomState as RandomState
from seqforge.training.rewarding import Rewarding as Rewarding
from seqforge.training.rewarding import reward_terms as reward_terms
from seqforge.training.schedule import Constant as Constant
from seqforge.training.schedule import Cosine as Cosine
from seqforge.training.schedule import OneCycle as OneCycle
from seqforge.training.schedule import Plateau as Plateau
from seqforge.training.schedule import Schedule as Schedule
from seqforge.training.sequence_module import SequenceModule as SequenceModule

__all__ = [
    "AtomicCheckpointIO",
    "Carry",
    "Checkpointer",
    "Constant",
    "Cosine",
    "EarlyStopping",
    "LossSums",
    "MetricHistory",
    "NonFiniteLoss",
    "OneCycle",
    "Plateau",
    "Predictions",
    "RandomState",
    "Rewarding",
    "Samples",
    "Schedule",
    "SequenceModule",
    "WeightAverage",
    "reward_terms",
]
