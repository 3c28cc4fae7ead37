"""A user's mistake gets a short, complete message."""

import pickle
import sys
from pathlib import Path

import pytest

from seqforge import errors
from seqforge.errors import MissingExtra, UserError, closest_match, closest_path, require


def test_message_has_every_part_in_order() -> None:
    error = UserError(
        "no encoder is called 'GRUU'",
        where="model.encoder",
        accepted=["RNN", "GRU", "LSTM"],
        closest="GRU",
        todo="write GRU",
    )

    assert str(error).splitlines() == [
        "no encoder is called 'GRUU'",
        "  where: model.encoder",
        "  accepted: GRU, LSTM, RNN",
        "  did you mean: GRU",
        "  to do: write GRU",
    ]


def test_parts_that_are_absent_take_no_line() -> None:
    assert str(UserError("the file is empty")) == "the file is empty"


def test_message_stays_within_five_lines_whatever_comes_in() -> None:
    names = [f"name_{number:04}" for number in range(500)]
    error = UserError("x\ny" * 900, where="w" * 900, accepted=names, closest="c" * 900, todo="t\n")

    lines = str(error).splitlines()

    assert len(lines) == 5
    assert max(map(len, lines)) <= 160
    assert lines[2].startswith("  accepted: name_0000, name_0001, ")
    assert lines[2].endswith(" more")


def test_control_characters_never_reach_the_terminal() -> None:
    assert str(UserError("bad \x1b[31mname\x07 here")) == "bad [31mname here"


def test_one_long_accepted_name_is_cut() -> None:
    line = str(UserError("no", accepted=["a" * 400, "b"])).splitlines()[1]

    assert len(line) == 160
    assert line.endswith("…")


def test_survives_pickling() -> None:
    error = UserError("given", where="here", accepted=["b", "a"], closest="a", todo="do")

    copy = pickle.loads(pickle.dumps(error))

    assert isinstance(copy, UserError)
    assert str(copy) == str(error)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GRUU", "GRU"),
        ("gru", "GRU"),
        ("hiden_size", "hidden_size"),
        ("hiddensize", "hidden_size"),
        ("hidden-size", "hidden_size"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_closest_match(name: str, expected: str) -> None:
    assert closest_match(name, ["LSTM", "GRU", "hidden_size"]) == expected


def test_closest_match_among_none() -> None:
    assert closest_match("GRU", []) == ""


def test_closest_path(tmp_path: Path) -> None:
    (tmp_path / "songs.txt").touch()

    assert closest_path(str(tmp_path / "song.txt")) == str(tmp_path / "songs.txt")
    assert closest_path(str(tmp_path / "none" / "song.txt")) == ""


def test_require_returns_the_module() -> None:
    assert require("json", "none") is sys.modules["json"]


def test_require_names_the_line_that_installs() -> None:
    with pytest.raises(MissingExtra) as caught:
        require("no_such_package_here", "export")

    assert "'no_such_package_here', which this needs, is not installed" in str(caught.value)
    assert 'pip install "seqforge-lightning[export]"' in str(caught.value)


def test_require_tells_a_broken_package_from_an_absent_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed.py").write_text("import absent_dependency\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(MissingExtra, match="cannot be imported: No module named 'absent_depend"):
        require("half_installed", "export")


def test_exit_codes() -> None:
    codes = (errors.OK, errors.FAILURE, errors.USER_MISTAKE, errors.RESUME_ME, errors.INTERRUPTED)

    assert codes == (0, 1, 2, 75, 130)
