"""`infer`: what may be given, what comes out, what a mistake looks like."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.cli.infer import write
from seqforge.cli.main import main
from seqforge.task import Figure, Piece, Table, Text
from seqforge.task import Output as OneOutput
from tests.cli.tiny import finished_run

Output = pytest.CaptureFixture[str]
SHORT = ("--length", "4")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made once."""
    return finished_run(tmp_path_factory.mktemp("infer"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def infer(run: Path, *words: str) -> int:
    return main(["infer", str(run), *words])


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize(
    "words",
    [
        ("the ", "--length", "4", "a ", "--seed", "3"),
        ("--length", "4", "the ", "a ", "--seed", "3"),
        ("--seed=3", "--length=4", "the ", "--", "a "),
    ],
)
def test_options_stand_anywhere(run: Path, words: tuple[str, ...], capsys: Output) -> None:
    assert infer(run, *words) == 0

    texts = re.fullmatch(r"the (.{4})\n---\na (.{4})\n", capsys.readouterr().out, re.DOTALL)
    assert texts is not None


@pytest.mark.parametrize("prompt", ["--length", "-dash", "-", "ÄÖ", "the cat"])
def test_prompts_are_echoed_as_they_are(run: Path, prompt: str, capsys: Output) -> None:
    assert infer(run, *SHORT, "--samples", "2", "--separator", "@", "--", prompt) == 0

    first, second = capsys.readouterr().out.split("\n@\n")
    assert first.startswith(prompt)
    assert second.startswith(prompt)
    assert len(first) == len(prompt) + 4 == len(second) - 1


def test_an_empty_prompt(run: Path, capsys: Output) -> None:
    assert infer(run, "", *SHORT) == 0
    assert len(capsys.readouterr().out) == 5


def test_bytes_that_are_no_text(run: Path, capsys: Output) -> None:
    assert infer(run, os.fsdecode(b"a\xff"), *SHORT) == 0
    assert capsys.readouterr().out.startswith("a\ufffd")


def test_files_and_standard_input(
    run: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("one.txt").write_text("the cat\n")
    stdin(monkeypatch, b"a dog\n")
    assert infer(run, *SHORT, "-i", "one.txt", "-") == 0
    assert re.match(r"the cat.{4}\n---\na dog.{4}\n", capsys.readouterr().out, re.DOTALL)

    stdin(monkeypatch, b"saw")
    assert infer(run, *SHORT) == 0
    assert capsys.readouterr().out.startswith("saw")


def test_output_to_a_file(run: Path, capsys: Output) -> None:
    assert infer(run, "the ", *SHORT, "--output", "out.txt") == 0
    assert capsys.readouterr().out == ""
    written = Path("out.txt").read_text()
    assert written.startswith("the ")

    # A mistake leaves the file as it was.
    assert infer(run, "the ", "--output", "out.txt", "--temperature", "-1") == 2
    assert Path("out.txt").read_text() == written


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--lenght", "5"), "unrecognized arguments: --lenght 5.*did you mean: --length"),
        (("--length", "many"), "argument --length: invalid int value: 'many'"),
        (("--length", "-1"), "length is -1.*--length"),
        (("--length", "9" * 99), "length is 999.*--length.*from 0 to 1,000,000,000"),
        (("--samples", "0"), "samples is 0.*where: --samples"),
        (("--top-k", "-1"), "top_k is -1.*where: --top-k.*0 draws from all"),
        (("--top-p", "1.5"), "top_p is 1.5.*where: --top-p.*from 0 to 1"),
        (("--top-p", "nan"), "top_p is nan"),
        (("--stop", "\\n"), r"stop string .* never be written.*'\\\\'.*where: --stop.*\$'\\n'"),
        (("--unknown", "ignore"), "argument --unknown: invalid choice: 'ignore'"),
        (
            ("--score", "--unknown", "refuse", "tÄt"),
            "character 'Ä' at place 1 was not in the training",
        ),
        (("--prompt", "a"), "no --score.*where: --prompt.*add --score"),
        (("--score", ""), "there is no text to score where: input 2 of 2"),
        (("--temperature", "nan"), "temperature is nan"),
        (("--temperature", "inf"), "temperature is inf"),
        (("--seed", "99999999999999999999"), "seed is 99999999999999999999"),
        (("--device", "nonsense"), "device 'nonsense' cannot be used here.*accepted: cpu"),
        (("-i", "out.tx"), "no file 'out.tx'.*did you mean: out.txt"),
        (("-i", "."), "'.' is a folder.*where: -i.*name a file in it"),
        (("-i", "latin.txt"), "not UTF-8: byte 0xe9 at 3, line 1"),
        (("--output", "."), "cannot write '.'"),
        (("--output", "nowhere/x"), "cannot write 'nowhere/x'"),
    ],
)
def test_mistakes(run: Path, words: tuple[str, ...], pattern: str, capsys: Output) -> None:
    Path("out.txt").touch()
    Path("latin.txt").write_bytes(b"caf\xe9")

    assert infer(run, *([] if "-i" in words else ["the "]), *words) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert len(captured.err.splitlines()) <= 5
    assert re.search(pattern, " ".join(captured.err.split()))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(run: Path, capsys: Output) -> None:
    assert infer(run, "the ", "--device", "cuda") == 2
    assert "device 'cuda' cannot be used here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("nowhere", "x"), "no checkpoint 'nowhere'"),
        ((".", "x"), "no best.ckpt or last.ckpt in '.'"),
        (("some.txt", "x"), "'some.txt' is no checkpoint"),
        (("--length", "5", "x"), "'--length' stands where the checkpoint should"),
    ],
)
def test_no_checkpoint(words: tuple[str, ...], pattern: str, capsys: Output) -> None:
    Path("some.txt").write_text("text")

    assert main(["infer", *words]) == 2
    assert pattern in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_without_a_checkpoint(words: list[str], capsys: Output) -> None:
    assert main(["infer", *words]) == 0
    assert "infer CHECKPOINT --help" in capsys.readouterr().out


def test_help_shows_the_tasks_options(run: Path, capsys: Output) -> None:
    assert infer(run, "--help") == 0

    out = capsys.readouterr().out
    assert "options of CharGeneration" in out
    assert "--temperature FLOAT" in out
    words = " ".join(out.split())
    for name, help_text in (
        ("--length INT", "Characters to write after the prompt at most; bytes for a network of"),
        ("--top-k INT", "Draw from this many likeliest characters only; 0 from all."),
        ("--top-p FLOAT", "Draw from the fewest likeliest characters that have this share"),
        ("--seed INT", "What chance is drawn from; the same seed writes the same text."),
        ("--samples INT", "Texts to write for each prompt, all at once."),
        ("--stop STR", "A text ends before this string; none if empty."),
        ("--echo, --no-echo", "Begin each text with its prompt."),
        ("--stream, --no-stream", "Show characters as they are made"),
        ("--separator STR", "The line between two texts."),
        ("--unknown {replace,refuse}", "What to do with characters that the network does not"),
        ("--score, --no-score", "Score the inputs instead of writing on: a table (CSV)"),
        ("--prompt STR", "With score: what stands before each text"),
    ):
        assert f"{name} {help_text}" in words


def test_an_interruption_while_text_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    from seqforge_tasks.char_generation import CharGeneration

    original = CharGeneration.infer

    def interrupted(self: CharGeneration, *rest: Any) -> Iterator[OneOutput]:
        for number, piece in enumerate(original(self, *rest)):
            if number == 3:
                os.kill(os.getpid(), signal.SIGINT)
            yield piece

    monkeypatch.setattr(CharGeneration, "infer", interrupted)

    assert infer(run, "the ", "--stream") == 130
    captured = capsys.readouterr()
    assert captured.out.startswith("the ")
    assert captured.err == "interrupted\n"


def test_every_piece_is_in_the_file_before_the_next_one_is_made(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"

    def outputs() -> Iterator[OneOutput]:
        yield Piece("a")
        assert file.read_text() == "a"
        yield Text("b")
        assert file.read_text() == "ab\n"
        raise KeyboardInterrupt

    with file.open("w") as stream, pytest.raises(KeyboardInterrupt):
        write(outputs(), stream, file)


def test_a_reader_who_has_had_enough(run: Path) -> None:
    command = [sys.executable, "-m", "seqforge", "infer", str(run), "the ", "--stream"]
    command += ["--length", "99999"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10).startswith(b"the ")
        process.stdout.close()
        errors = process.stderr.read()

    assert b"Traceback" not in errors
    assert b"Exception" not in errors


def test_kinds_of_output(tmp_path: Path) -> None:
    from matplotlib.figure import Figure as MatplotlibFigure

    stream = io.StringIO()
    picture = Figure(MatplotlibFigure())
    outputs: list[OneOutput] = [
        Text("a line"),
        Piece("a"),
        Piece("b", last=True),
        Table(("x", "y"), [(1, "two, three")]),
        picture,
        picture,
    ]

    write(outputs, stream, tmp_path / "out.txt")

    assert stream.getvalue() == 'a line\nab\nx,y\n1,"two, three"\n'
    assert {file.name for file in tmp_path.glob("*.png")} == {"out.png", "out-2.png"}
