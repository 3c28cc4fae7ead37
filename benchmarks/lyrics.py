"""Put a run of the lecture's example beside the lecture's own figures.

    seqforge fit --config configs/recipes/lyrics.yaml --data.path songs.txt --run lyrics
    python benchmarks/lyrics.py runs/lyrics --output docs/results/lyrics.md

Reads the run's history and samples; nothing is computed anew. The batch loss of an epoch is that of
its last batch, as in the lecture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

LECTURE = {0: 2.966, 2: 1.781, 5: 1.637, 7: 1.563, 9: 1.639, 11: 1.569, 13: 1.336}
"""The batch losses that the lecture shows, in nats a character, by epoch."""

BATCHES = 84
"""Batches of an epoch."""


def losses(run: Path) -> pd.DataFrame:
    """Return batch loss and held-out losses at the end of each epoch, by epoch."""
    history = pd.read_csv(run / "logs" / "metrics.csv")
    ends = history[history["step"] % BATCHES == 0].set_index("step")["train/loss"].dropna()
    ends.index = ends.index // BATCHES - 1
    validated = history.dropna(subset=["val/loss"]).set_index("epoch")
    return validated[["val/loss", "val/cold/loss"]].join(ends)


def report(run: Path) -> str:
    """Return the comparison as Markdown."""
    ends = losses(run)
    lines = [
        "| epoch | lecture, batch loss | batch loss | held out, stateful | held out, cold |",
        "|---|---|---|---|---|",
    ]
    for epoch, loss in LECTURE.items():
        row = ends.loc[epoch]
        lines.append(
            f"| {epoch} | {loss:.3f} | {row['train/loss']:.3f} | {row['val/loss']:.3f} | "
            f"{row['val/cold/loss']:.3f} |"
        )
    for epoch in LECTURE:
        (sample,) = (run / "samples").glob(f"epoch{epoch:03d}-*.txt")
        text = sample.read_text(encoding="utf-8").rstrip()
        lines += ["", f"## Epoch {epoch}", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    arguments = parser.parse_args()
    text = report(arguments.run)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
