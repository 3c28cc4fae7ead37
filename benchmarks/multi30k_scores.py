"""Score a translation checkpoint on Multi30k as published tables are scored.

    export SEQFORGE_DATA=FOLDER        # multi30k/test_2016_flickr.en.gz, ….lc.norm.tok.fr.gz in it
    python benchmarks/multi30k_scores.py runs/NAME --output translations.txt

The raw sentences are translated, and the tokenised lower-cased translations compared with the
official tokenised references of the data set by the sacrebleu library: nothing of seqforge's own
scoring is used.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

from sacrebleu import BLEU, CHRF

import seqforge
from seqforge_tasks.translation import Translation, TranslationOptions


def lines(file: Path) -> list[str]:
    """Return the lines of a packed file."""
    if not file.is_file():
        sys.exit(f"there is no {file}: set SEQFORGE_DATA to the folder of multi30k")
    return gzip.decompress(file.read_bytes()).decode("utf-8").removesuffix("\n").split("\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint")
    parser.add_argument("--parts", nargs="+", default=["val", "test_2016_flickr"])
    parser.add_argument("--beam-sizes", type=int, nargs="+", default=[1, 5, 12])
    parser.add_argument("--length-penalties", type=float, nargs="+", default=[1.0])
    parser.add_argument("--output", type=Path, help="the last part's translations go there")
    arguments = parser.parse_args()
    root = os.environ.get("SEQFORGE_DATA")
    if not root:
        sys.exit("SEQFORGE_DATA is not set to the folder with multi30k")
    folder = Path(root) / "multi30k"
    task = seqforge.load(arguments.checkpoint)
    if not isinstance(task, Translation):
        sys.exit(f"{arguments.checkpoint} is no checkpoint of a translation")
    languages = [side.preparation.language for side in (task.source, task.target)]
    bleu, chrf, written = BLEU(tokenize="none", force=True), CHRF(), ""
    print("| part | beam | length penalty | BLEU | brevity | chrF | sentences/s |")
    print("|---|---|---|---|---|---|---|")
    for part in arguments.parts:
        sources = lines(folder / f"{part}.{languages[0]}.gz")
        references = lines(folder / f"{part}.lc.norm.tok.{languages[1]}.gz")
        for size in arguments.beam_sizes:
            for penalty in arguments.length_penalties:
                begun = time.perf_counter()
                found = task.translator.translate(sources, TranslationOptions(size, penalty))
                rate = len(sources) / (time.perf_counter() - begun)
                hypotheses = [each[0].prepared for each in found]
                score = bleu.corpus_score(hypotheses, [references])
                letters = chrf.corpus_score(hypotheses, [references])
                print(
                    f"| {part} | {size} | {penalty:g} | {score.score:.2f} | {score.bp:.3f} | "
                    f"{letters.score:.2f} | {rate:.0f} |",
                    flush=True,
                )
                written = "\n".join([each[0].text for each in found]) + "\n"
    print(f"\nBLEU: {bleu.get_signature()}; chrF: {chrf.get_signature()}")
    if arguments.output is not None:
        arguments.output.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
