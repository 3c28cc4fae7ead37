"""Translate a file from a checkpoint of seqforge by beam search, and note how long it takes.

    python benchmarks/peers/seqforge_runner.py CHECKPOINT SOURCE --report FILE.jsonl

Loading is not part of the time; cutting into pieces and joining them again is, as on the peer's
side. Each line of the report is one JSON object. `benchmarks/joeynmt.py` starts it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import seqforge
from seqforge.cli.memory import keep_memory
from seqforge_tasks.translation import Translation, TranslationOptions


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--length-penalty", type=float, default=1.0)
    parser.add_argument("--length", type=int, help="of every translation, in tokens")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64])
    arguments = parser.parse_args()
    keep_memory()  # as `seqforge infer` does
    model = seqforge.load(arguments.checkpoint)
    if not isinstance(model, Translation):
        parser.error(f"{arguments.checkpoint} is no Translation checkpoint")
    sentences = arguments.source.read_text(encoding="utf-8").splitlines()
    for batch_size in arguments.batch_sizes:
        options = TranslationOptions(
            beam_size=arguments.beam_size,
            length_penalty=arguments.length_penalty,
            batch_size=batch_size,
            min_length=arguments.length or 0,
            max_length=arguments.length or 0,
            precision=arguments.precision,
        )
        started = time.perf_counter()
        hypotheses = model.translate(sentences, options)
        seconds = time.perf_counter() - started
        line = {
            "batch_size": batch_size,
            "precision": arguments.precision,
            "seconds": seconds,
            "sentences_per_second": len(sentences) / seconds,
            "hypotheses": hypotheses,
        }
        with arguments.report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
