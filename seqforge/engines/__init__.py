"""Engines: what runs a network one step at a time, beside PyTorch itself."""

from seqforge.engines.building import engine_step as engine_step
from seqforge.engines.exported_step import ExportedStep as ExportedStep
from seqforge.engines.exporting import export_step as export_step
from seqforge.engines.kinds import ENGINES as ENGINES
from seqforge.engines.kinds import Engine as Engine
from seqforge.engines.kinds import require_engine as require_engine
from seqforge.engines.looping import loop_step as loop_step
from seqforge.engines.quantizing import quantize as quantize

__all__ = [
    "ENGINES",
    "Engine",
    "ExportedStep",
    "engine_step",
    "export_step",
    "loop_step",
    "quantize",
    "require_engine",
]
