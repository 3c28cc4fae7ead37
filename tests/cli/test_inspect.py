"""`inspect`: what may be given, what is written, what a mistake looks like."""

import io
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from seqforge.cli import inspect as inspect_module
from seqforge.cli.main import main
from seqforge.errors import UserError
from seqforge.inspection import Report, Subject, Unit
from seqforge.inspection.report import FILES
from seqforge_tasks.char_generation import CharGeneration
from tests.cli.tiny import finished_run, text

Output = pytest.CaptureFixture[str]
SHORT = text(2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made once."""
    return finished_run(tmp_path_factory.mktemp("inspect"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@dataclass
class Asked:
    subjects: Sequence[Subject] = ()
    lags: int = 0
    wanted: Sequence[Unit] = ()
    notes: Sequence[str] = ()

    @property
    def read(self) -> str:
        """The text that the only checkpoint has read."""
        (subject,) = self.subjects
        return "".join(subject.reading.symbols)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the report was asked for, in place of the seconds that drawing takes."""
    found = Asked()

    def look(
        subjects: Sequence[Subject], *, lags: int, wanted: Sequence[Unit], notes: Sequence[str]
    ) -> Report:
        found.subjects, found.lags, found.wanted, found.notes = subjects, lags, wanted, notes
        return Report(["a finding"], ["a note"], {"index.html": b"page"})

    monkeypatch.setattr(inspect_module, "look", look)
    return found


def message(captured: Output) -> str:
    shown = captured.readouterr()
    assert shown.err.startswith("error: ")
    assert len(shown.err.splitlines()) <= 5
    assert "Traceback" not in shown.err
    return " ".join(shown.err.split())


def test_a_report_lies_in_the_runs_folder(run: Path, capsys: Output) -> None:
    assert main(["inspect", str(run), "--text", SHORT, "--unit", "1:2"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {file.name for file in (run / "inspect").iterdir()} == set(FILES)
    assert lines[-1] == str(run / "inspect" / "index.html")
    assert any(re.match("one: .*gradient", line) for line in lines)
    page = (run / "inspect" / "index.html").read_text(encoding="utf-8")
    assert f"one: LSTM with layers of 8 units, read {len(SHORT)} symbols" in page


def test_texts_come_inline_from_a_file_and_from_standard_input(
    run: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("text.txt").write_text(SHORT, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SHORT.encode())))
    for words in (["--text", SHORT], ["-i", "text.txt"], ["-i", "-"]):
        assert main(["inspect", str(run), *words, "--output", "out"]) == 0
        assert asked.read == "\n" + SHORT[:-1]  # as it is scored, after a new line
    assert Path("out/index.html").read_text() == "page"


def test_options_reach_the_report(run: Path, asked: Asked) -> None:
    best = run / "checkpoints" / "best.ckpt"
    words = ["--text", SHORT, "--unit", "1:2", "1:3", "--lags", "7", "--output", "out"]

    assert main(["inspect", str(run), str(best), *words]) == 0

    assert asked.wanted == [Unit(1, 2), Unit(1, 3)]
    assert asked.lags == 7
    labels = [subject.label for subject in asked.subjects]
    assert len(set(labels)) == 2
    assert list(asked.notes) == []


def test_a_long_text_is_cut_and_says_so(
    run: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_module, "MOST_SYMBOLS", 50)

    assert main(["inspect", str(run), "--text", SHORT]) == 0

    assert asked.read == "\n" + SHORT[:49]
    (note,) = asked.notes
    assert f"The text has {len(SHORT)} characters, of which the first 50 were read" in note


def test_characters_of_several_symbols_are_cut_too(
    run: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_module, "MOST_SYMBOLS", 50)
    read = CharGeneration.reading
    monkeypatch.setattr(CharGeneration, "reading", lambda self, text: read(self, text * 3))

    assert main(["inspect", str(run), "--text", SHORT]) == 0

    assert 47 <= len(asked.read) <= 50


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ((), "there is no text to read.*to do: give --text"),
        (("--text", "ab", "-i", "text.txt"), "--text and -i both give a text"),
        (("--text", ""), "the text has 0 symbols"),
        (("--text", "the cat sat"), "the text has 11 symbols.*at least 21 characters"),
        (("-i", "text.tx"), "no file 'text.tx'.*did you mean: text.txt"),
        (("-i", "."), "'.' is a folder.*name a file in it"),
        (("-i", "latin.txt"), "not UTF-8: byte 0xe9 at 3"),
        (("--text", SHORT, "--unit", "3"), "'3' is no unit.*LAYER:NUMBER"),
        (("--text", SHORT, "--unit", "one:2"), "'one:2' is no unit"),
        (("--text", SHORT, "--unit", "1:9"), "no unit 1:9.*accepted: 1:1 to 1:8"),
        (("--text", SHORT, "--lags", "0"), "lags is 0"),
        (("--text", SHORT, "--unti", "1:1"), "unrecognized.*did you mean: --unit"),
        (("--text", SHORT, "--device", "nonsense"), "device 'nonsense' cannot be used"),
    ],
)
def test_mistakes(
    run: Path,
    words: tuple[str, ...],
    pattern: str,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    Path("text.txt").write_text(SHORT, encoding="utf-8")
    Path("latin.txt").write_bytes(b"caf\xe9")

    assert main(["inspect", str(run), *words, "--output", "out"]) == 2

    assert re.search(pattern, message(capsys))
    assert not Path("out").exists()


def test_a_folder_that_cannot_be_written(run: Path, asked: Asked, capsys: Output) -> None:
    Path("file").touch()

    assert main(["inspect", str(run), "--text", SHORT, "--output", "file/inside"]) == 2

    assert "cannot write to 'file/inside'" in message(capsys)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("nowhere", "--text", "x"), "no checkpoint 'nowhere'"),
        (("--text", "x"), "'--text' stands where the checkpoint should"),
    ],
)
def test_no_checkpoint(words: tuple[str, ...], pattern: str, capsys: Output) -> None:
    assert main(["inspect", *words]) == 2
    assert re.search(pattern, message(capsys))


def test_a_task_that_does_not_read(
    run: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(CharGeneration, "reading")

    assert main(["inspect", str(run), "--text", SHORT]) == 2

    said = "a CharGeneration cannot be looked into: this task does not offer it.*Task.reading"
    assert re.search(said, message(capsys))


def test_an_encoder_that_reads_both_ways(
    run: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = CharGeneration.reading

    def backward(self: CharGeneration, text: str) -> object:
        reading = read(self, text)
        reading.encoder.causal = False
        return reading

    monkeypatch.setattr(CharGeneration, "reading", backward)

    assert main(["inspect", str(run), "--text", SHORT]) == 2

    assert re.search("reads both ways.*cannot be looked into", message(capsys))


@pytest.mark.parametrize("words", [[], ["--help"], ["runs/one", "--help"]])
def test_help(words: list[str], capsys: Output) -> None:
    assert main(["inspect", *words]) == 0

    out = capsys.readouterr().out
    assert "usage: seqforge inspect" in out
    assert "LAYER:NUMBER" in out


def test_what_the_network_does_not_know_is_measured_and_noted(run: Path, capsys: Output) -> None:
    words = '(the "cat" sat) on "a" [mat] and "two" saw (it)\n' * 4
    assert main(["inspect", str(run), "--text", words, "--output", "out"]) == 0

    out = capsys.readouterr().out
    assert re.search("^48 characters of the text, first '\\(', read as unknown", out, re.MULTILINE)
    assert "48 characters of the text" in Path("out/index.html").read_text(encoding="utf-8")
    for feature in ("inside quotes", "inside brackets"):
        assert re.search(f"^{feature}: unit ", out, re.MULTILINE)


def test_a_checkpoint_is_named_after_its_run_or_file(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = run / "checkpoints" / "best.ckpt"
    shutil.copy(best, tmp_path / "loose.ckpt")

    assert inspect_module._labels([str(run)]) == ["one"]
    assert inspect_module._labels([str(tmp_path / "loose.ckpt")]) == ["loose"]
    assert inspect_module._labels(["loose.ckpt"]) == ["loose"]
    monkeypatch.chdir(best.parent)
    assert inspect_module._labels(["best.ckpt"]) == ["one"]


def test_the_same_checkpoint_twice_has_two_labels(run: Path) -> None:
    labels = inspect_module._labels([str(run), str(run)])

    assert len(set(labels)) == 2
    with pytest.raises(UserError):
        inspect_module._labels(["nowhere"])
