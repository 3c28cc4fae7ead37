"""Decoding: from a step function to tokens, the same for every task."""

from seqforge.decoding.sampling import Sampled as Sampled
from seqforge.decoding.sampling import greedy as greedy
from seqforge.decoding.sampling import sample as sample
from seqforge.decoding.step import Step as Step
from seqforge.decoding.step import StepOut as StepOut

__all__ = ["Sampled", "Step", "StepOut", "greedy", "sample"]
