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
from seqforge.attention.stepper import DecoderStepper as DecoderStepper
from seqforge.attention.token_stepper import TokenStepper as TokenStepper
from seqforge.attention.token_stepper import never_mask as never_mask

__all__ = [
    "AdditiveAttention",
    "Attended",
    "Attention",
    "AttentionDecoder",
    "AttentionKind",
    "Decoded",
    "DecoderState",
    "DecoderStepper",
    "DotAttention",
    "GeneralAttention",
    "Memory",
    "NoAttention",
    "TokenStepper",
    "make_attention",
    "never_mask",
]
