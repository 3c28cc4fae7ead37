"""Sample tunes from an ABC model and count how many `abc2midi` reads without an error.

    python benchmarks/music.py runs/NAME --tunes nottingham/ --output docs/results/music.md

`abc2midi` and `abcm2ps` are Debian's packages abcmidi and abcm2ps. Every real tune is put to the
same test, so that the share of sampled tunes has something to be compared with. For each sampled
tune the longest stretch of characters that stands in the training tunes as it is shows how much was
copied. With `--sheets FOLDER` the first tunes are engraved as SVG.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import seqforge
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions

BEGINNING = re.compile(r"^(?=X:)", flags=re.MULTILINE)
SHOWN = 3
"""Tunes that are printed and engraved."""


def real_tunes(folder: Path) -> list[str]:
    """Return the tunes of all ABC files of a folder."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.abc"))]
    tunes = BEGINNING.split("\n\n".join(texts))
    return [tune.strip() + "\n" for tune in tunes if tune.startswith("X:")]


def sampled_tunes(checkpoint: Path, count: int, temperature: float, seed: int) -> list[str]:
    """Write tunes from nothing; each ends at its first empty line."""
    model = seqforge.load(checkpoint)
    if not isinstance(model, CharGeneration):
        sys.exit(f"{checkpoint} is no CharGeneration checkpoint")
    options = GenerationOptions(
        length=3000, temperature=temperature, seed=seed, samples=count, stop="\n\n"
    )
    return [tune.strip() + "\n" for tune in model.generate("", options)]


def errors(tune: str, folder: Path) -> list[str]:
    """Return what `abc2midi` calls an error in a tune, and any failure of its own."""
    source, target = folder / "tune.abc", folder / "tune.mid"
    source.write_text(tune, encoding="utf-8")
    target.unlink(missing_ok=True)
    command = ["abc2midi", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("Error")]
    if not found and (done.returncode or not target.is_file()):
        found = ["no MIDI file was written"]
    return found


def copied(tune: str, corpus: str) -> int:
    """Return the length of the longest stretch of a tune that stands in the corpus."""
    longest = 0
    for start in range(len(tune)):
        while start + longest < len(tune) and tune[start : start + longest + 1] in corpus:
            longest += 1
    return longest


def engrave(tunes: list[str], folder: Path) -> None:
    """Write each tune as `tune-N.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for number, tune in enumerate(tunes, start=1):
            source = Path(name) / f"{number}.abc"
            source.write_text(tune, encoding="utf-8")
            # In that folder: the picture has the names of its files in it.
            command = ["abcm2ps", "-q", "-g", "-O", f"{number}.svg", source.name]
            subprocess.run(command, cwd=name, check=False, capture_output=True)
            pages = sorted(Path(name).glob(f"{number}*.svg"))
            if pages:
                shutil.copyfile(pages[0], folder / f"tune-{number}.svg")


def report(arguments: argparse.Namespace) -> str:
    """Sample, test and compare; return the results as Markdown."""
    real = real_tunes(arguments.tunes)
    temperature, count = arguments.temperature, arguments.count
    sampled = sampled_tunes(arguments.checkpoint, count, temperature, arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        found = {
            "real": [errors(tune, Path(name)) for tune in real],
            "sampled": [errors(tune, Path(name)) for tune in sampled],
        }
    shares = {kind: sum(not each for each in lists) / len(lists) for kind, lists in found.items()}
    corpus = "\n".join(real)
    stretches = [copied(tune, corpus) for tune in sampled]
    whole = sum(stretch >= len(tune) - 1 for stretch, tune in zip(stretches, sampled, strict=True))
    if arguments.sheets is not None:
        engrave(sampled[:SHOWN], arguments.sheets)
    lines = [
        "| tunes | number | read without an error | median length |",
        "|---|---|---|---|",
        *(
            f"| {kind} | {len(tunes)} | {shares[kind]:.1%} | "
            f"{statistics.median(map(len, tunes)):.0f} |"
            for kind, tunes in (("real", real), ("sampled", sampled))
        ),
        "",
        f"Ratio of the shares: **{shares['sampled'] / shares['real']:.3f}**. Temperature "
        f"{temperature}, seeds {arguments.seed} to {arguments.seed + count - 1}.",
        "",
        f"Longest stretch of a sampled tune that stands in a real one: median "
        f"{statistics.median(stretches):.0f} characters, at most {max(stretches)}; "
        f"{whole} of {count} are real tunes from end to end.",
        "",
        "Errors in sampled tunes:",
        "",
        *(f"- {line}" for line in _kinds(found["sampled"])),
    ]
    for number, tune in enumerate(sampled[:SHOWN], start=1):
        lines += ["", f"## Tune {number}", "", "```text", tune.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _kinds(found: list[list[str]]) -> list[str]:
    kinds: dict[str, int] = {}
    for lines in found:
        for kind in {line.split(" : ", 1)[-1].strip() for line in lines}:
            kinds[kind] = kinds.get(kind, 0) + 1
    return [f"{kind}: {count}" for kind, count in sorted(kinds.items())] or ["none"]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path, help="a .ckpt file or a run folder")
    parser.add_argument("--tunes", type=Path, required=True, help="folder of the real tunes")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheets", type=Path, help="engrave the first tunes into this folder")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    arguments = parser.parse_args()
    for program in ("abc2midi", *(["abcm2ps"] if arguments.sheets else [])):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed: on Debian, apt install abcmidi abcm2ps")
    text = report(arguments)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
