"""Decoding: from a step function to tokens, the same for every task."""

from seqforge.decoding.sampling import Sampled as Sampled
from seqforge.decoding.sampling import greedy as greedy
from seqforge.decoding.sampling import sample as sample
from seqforge.decoding.step import Step as Step
from seqforge.decoding.step import StepOut as StepOut
from seqforge.decoding.truncation import keep_top_k as keep_top_k
from seqforge.decoding.truncation import keep_top_p as keep_top_p

__all__ = ["Sampled", "Step", "StepOut", "greedy", "keep_top_k", "keep_top_p", "sample"]
