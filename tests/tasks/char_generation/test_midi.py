"""Tunes as MIDI files, read back by an independent reader."""

import re
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from seqforge.errors import MissingExtra, UserError
from seqforge.task import Text
from seqforge_tasks.char_generation.generation import complete
from seqforge_tasks.char_generation.midi import numbered, write_midi
from seqforge_tasks.char_generation.options import GenerationOptions
from tests.tasks.char_generation.networks import task

# Here, not in a test: its import sets variables of the environment by which it finds abc2midi.
symusic = pytest.importorskip("symusic")

TUNE = "X:1\nT:a scale\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\nCDEF|GABc|\n"


MODEL = task(characters="abcdefgABCDEFG|:/12 \n").language_model
OPTIONS = GenerationOptions(length=12, echo=False)


def pitches(file: Path) -> list[int]:
    """Return the note numbers of a MIDI file: of `90 pp vv` events whose velocity is not 0."""
    score = symusic.Score(str(file))
    return [note.pitch for track in score.tracks for note in track.notes]


def test_a_scale_has_its_pitches(tmp_path: Path) -> None:
    file = tmp_path / "scale.mid"

    write_midi("\n" + TUNE, file)

    assert file.read_bytes()[:4] == b"MThd"
    assert pitches(file) == [60, 62, 64, 65, 67, 69, 71, 72]


def test_remarks_do_not_mix_with_the_tune(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    print("the tune")

    write_midi("X:1\nK:G\n|:abc def:|\n", tmp_path / "out.mid")

    out, error = capfd.readouterr()
    assert out == "the tune\n"
    assert "Warning" in error


def test_what_is_no_tune_is_not_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not write_midi("Once upon a time\n", tmp_path / "out.mid")
    assert write_midi(TUNE, tmp_path / "other.mid")

    assert [file.name for file in tmp_path.iterdir()] == ["other.mid"]
    capfd.readouterr()


def test_a_text_that_is_no_tune_is_noted_and_passed_over(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = replace(OPTIONS, samples=1, midi=str(tmp_path / "out.mid"))

    texts = list(complete(MODEL, [TUNE, "Once", TUNE], options))

    assert len([text for text in texts if text != Text("---")]) == 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out-3.mid", "out.mid"]
    notes = [line for line in capfd.readouterr().err.splitlines() if line.startswith("note:")]
    (note,) = notes
    assert note.startswith("note: text 2 is no tune in ABC notation")
    assert "out-2.mid" in note


@pytest.mark.parametrize("stream", [False, True])
def test_texts_of_which_none_is_a_tune_are_given_out_all_the_same(
    tmp_path: Path, stream: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    options = replace(OPTIONS, samples=3, stream=stream)
    plain = list(complete(MODEL, ["Once", "upon"], options))
    outputs = complete(MODEL, ["Once", "upon"], replace(options, midi=str(tmp_path / "out.mid")))

    assert list(islice(outputs, len(plain))) == plain
    with pytest.raises(UserError, match="no text was a tune in ABC notation") as raised:
        next(outputs)

    assert len(str(raised.value).splitlines()) <= 5
    assert len(re.findall("note: text [1-6] is no tune", capfd.readouterr().err)) == 6
    assert list(tmp_path.iterdir()) == []


def test_texts_come_before_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    outputs = complete(MODEL, [TUNE], replace(OPTIONS, midi=str(tmp_path / "none" / "out.mid")))

    assert isinstance(next(outputs), Text)
    with pytest.raises(UserError, match="cannot write"):
        next(outputs)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        write_midi(TUNE, tmp_path / "none" / "out.mid")


def test_the_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "symusic", None)

    with pytest.raises(MissingExtra, match=r"symusic[\s\S]*seqforge-lightning\[music\]"):
        write_midi(TUNE, tmp_path / "out.mid")


def test_several_tunes_go_to_numbered_files(tmp_path: Path) -> None:
    assert [numbered(tmp_path / "out.mid", n).name for n in range(3)] == [
        "out.mid",
        "out-2.mid",
        "out-3.mid",
    ]


def test_infer_writes_a_file_for_each_text_prompt_included(tmp_path: Path) -> None:
    options = replace(OPTIONS, samples=2, midi=str(tmp_path / "out.mid"))

    list(complete(MODEL, [TUNE.removesuffix("\n"), TUNE], options))

    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["out-2.mid", "out-3.mid", "out-4.mid", "out.mid"]
    for file in tmp_path.iterdir():
        assert pitches(file)[:8] == [60, 62, 64, 65, 67, 69, 71, 72]
