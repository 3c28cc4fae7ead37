"""Attention, and the decoder that translation and captioning share."""

from seqforge.attention.additive import AdditiveAttention as AdditiveAttention
from seqforge.attention.base import Attended as Attended
from seqforge.attention.base import Attention as Attention
from seqforge.attention.blind import NoAttention as NoAttention
from seqforge.attention.decoder import AttentionDecoder as AttentionDecoder
from seqforge.attention.decoder_state import Decoded as Decoded
from seqforge.attention.decoder_state import DecoderState as DecoderState
from seqforge.attention.dot import DotAttention as DotAttention
from seqforge.attention.general import GeneralAttention as GeneralAttention
from seqforge.attention.kinds import AttentionKind as AttentionKind
from seqforge.attention.kinds import make_attention as make_attention
from seqforge.attention.memory import Memory as Memory
from seqforge.attention.self_critical import BASELINES as BASELINES
from seqforge.attention.self_critical import Baseline as Baseline
from seqforge.attention.self_critical import Marks as Marks
from seqforge.attention.self_critical import Reward as Reward
from seqforge.attention.self_critical import SelfCritical as SelfCritical
from seqforge.attention.self_critical import TokenWriter as TokenWriter
from seqforge.attention.self_critical import self_critical as self_critical
from seqforge.attention.stepper import DecoderStepper as DecoderStepper
from seqforge.attention.token_stepper import TokenStepper as TokenStepper
from seqforge.attention.token_stepper import never_mask as never_mask

__all__ = [
    "BASELINES",
    "AdditiveAttention",
    "Attended",
    "Attention",
    "AttentionDecoder",
    "AttentionKind",
    "Baseline",
    "Decoded",
    "DecoderState",
    "DecoderStepper",
    "DotAttention",
    "GeneralAttention",
    "Marks",
    "Memory",
    "NoAttention",
    "Reward",
    "SelfCritical",
    "TokenStepper",
    "TokenWriter",
    "make_attention",
    "never_mask",
    "self_critical",
]
