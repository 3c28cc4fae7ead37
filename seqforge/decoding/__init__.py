"""Decoding: from a step function to tokens, the same for every task."""

from seqforge.decoding.argmax import greedy_search as greedy_search
from seqforge.decoding.beam import beam_search as beam_search
from seqforge.decoding.drawing import DrawnSequences as DrawnSequences
from seqforge.decoding.drawing import draw_sequences as draw_sequences
from seqforge.decoding.hypothesis import Hypothesis as Hypothesis
from seqforge.decoding.sampling import Sampled as Sampled
from seqforge.decoding.sampling import greedy as greedy
from seqforge.decoding.sampling import sample as sample
from seqforge.decoding.scoring import length_penalty as length_penalty
from seqforge.decoding.search_ranges import OptionRange as OptionRange
from seqforge.decoding.search_ranges import SearchOptions as SearchOptions
from seqforge.decoding.search_ranges import require_ranges as require_ranges
from seqforge.decoding.search_ranges import search_ranges as search_ranges
from seqforge.decoding.step import DrawingStep as DrawingStep
from seqforge.decoding.step import Drawn as Drawn
from seqforge.decoding.step import Step as Step
from seqforge.decoding.step import StepOut as StepOut
from seqforge.decoding.truncation import keep_top_k as keep_top_k
from seqforge.decoding.truncation import keep_top_p as keep_top_p

__all__ = [
    "DrawingStep",
    "Drawn",
    "DrawnSequences",
    "Hypothesis",
    "OptionRange",
    "Sampled",
    "SearchOptions",
    "Step",
    "StepOut",
    "beam_search",
    "draw_sequences",
    "greedy",
    "greedy_search",
    "keep_top_k",
    "keep_top_p",
    "length_penalty",
    "require_ranges",
    "sample",
    "search_ranges",
]
