"""Seeing inside: gradients by lag, gates, and what single units follow in a text."""

from seqforge.inspection.features import FEATURES as FEATURES
from seqforge.inspection.features import Feature as Feature
from seqforge.inspection.gradients import GradientCurve as GradientCurve
from seqforge.inspection.gradients import fresh_encoders as fresh_encoders
from seqforge.inspection.gradients import gradient_by_lag as gradient_by_lag
from seqforge.inspection.ranking import Ranking as Ranking
from seqforge.inspection.ranking import Unit as Unit
from seqforge.inspection.ranking import rank_units as rank_units
from seqforge.inspection.report import MOST_SYMBOLS as MOST_SYMBOLS
from seqforge.inspection.report import Report as Report
from seqforge.inspection.report import Subject as Subject
from seqforge.inspection.report import look as look
from seqforge.inspection.trace import Trace as Trace
from seqforge.inspection.trace import trace as trace

__all__ = [
    "FEATURES",
    "MOST_SYMBOLS",
    "Feature",
    "GradientCurve",
    "Ranking",
    "Report",
    "Subject",
    "Trace",
    "Unit",
    "fresh_encoders",
    "gradient_by_lag",
    "look",
    "rank_units",
    "trace",
]
