"""Series in files of every kind, and what is said of files that hold none."""

import gc
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import (
    Reading,
    assembly,
    csv_source,
    files,
    panel_from_frame,
    read_panel,
)
from seqforge_tasks.forecasting.series.reading.chunks import Chunks
from seqforge_tasks.forecasting.series.reading.raw_table import Source
from tests.tasks.forecasting.series.reading.tables import csv, dates, refusal, same, targets

NAN = float("nan")


def test_each_column_of_a_wide_file_is_a_series(tmp_path: Path) -> None:
    file = csv(tmp_path, "date,a,b", "2020-01-01,1,10", "2020-01-02,2,20", "2020-01-03,3,30")

    reading = read_panel(file)

    assert targets(reading.panel) == {"a": [1, 2, 3], "b": [10, 20, 30]}
    assert reading.panel.channels == ("value",)
    assert dates(reading.panel, 1) == [f"2020-01-0{day} 00:00:00" for day in (1, 2, 3)]
    assert (reading.layout.kind, reading.layout.date) == ("wide", "date")
    assert (reading.layout.target, reading.layout.frequency) == (("a", "b"), "D")
    assert reading.notes == ()


def test_the_columns_of_a_multivariate_file_are_channels(tmp_path: Path) -> None:
    file = csv(tmp_path, "date,a,b", "2020-01-01,1,10", "2020-01-02,2,20", name="power.csv")

    panel = read_panel(file, Layout(multivariate=True)).panel

    assert (list(panel.names), panel.channels) == (["power"], ("a", "b"))
    np.testing.assert_array_equal(panel.values, [[1, 10], [2, 20]])


def test_a_long_file_has_its_series_in_the_order_in_which_they_come(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y", "z,2020-01-01,1", "a,2020-03-01,5", "z,2020-01-02,2"]
    lines += ["a,2020-03-02,6", "z,2020-01-03,3"]

    reading = read_panel(csv(tmp_path, *lines))

    assert targets(reading.panel) == {"z": [1, 2, 3], "a": [5, 6]}
    assert dates(reading.panel, 1)[0] == "2020-03-01 00:00:00"
    assert (reading.layout.kind, reading.layout.id, reading.layout.target) == (
        "long",
        "unique_id",
        ("y",),
    )
    assert reading.notes == ()


def test_a_series_may_be_called_like_a_missing_value(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y", "NA,2020-01-01,1", "NA,2020-01-02,NA", "NA,2020-01-03,3"]

    found = targets(read_panel(csv(tmp_path, *lines)).panel)

    assert found["NA"] == pytest.approx([1, NAN, 3], nan_ok=True)


def test_columns_may_have_any_names(tmp_path: Path) -> None:
    lines = ["shop;when;sales", "1;2020-01-01;4", "1;2020-01-02;5", "2;2020-01-01;6"]
    layout = Layout(id="shop", date="when", target=("sales",))

    assert targets(read_panel(csv(tmp_path, *lines), layout).panel) == {"1": [4, 5], "2": [6]}


def test_a_ragged_file_has_a_series_in_each_row(tmp_path: Path) -> None:
    file = csv(tmp_path, '"V1","V2","V3","V4"', '"H1",1,2,3', '"H2",4,,', '"H3",5,,6')

    reading = read_panel(file)

    assert reading.layout.kind == "ragged"
    expected = {"H1": [1.0, 2, 3], "H2": [4.0], "H3": [5, NAN, 6]}
    for name, values in targets(reading.panel).items():
        assert values == pytest.approx(expected[name], nan_ok=True)
    assert (reading.panel.starts, reading.panel.frequency) == (None, None)
    assert reading.layout.target == ()


def test_one_number_a_line_is_a_series(tmp_path: Path) -> None:
    reading = read_panel(csv(tmp_path, "86", "141", "", "60.5", "", name="laser.txt"))

    assert targets(reading.panel)["laser"] == pytest.approx([86, 141, NAN, 60.5], nan_ok=True)
    assert (reading.layout.kind, reading.panel.starts) == ("plain", None)


def test_a_file_without_header_or_dates_is_read(tmp_path: Path) -> None:
    panel = read_panel(csv(tmp_path, "1,2", "3,4", name="rates.txt")).panel

    assert targets(panel) == {"0": [1, 3], "1": [2, 4]}


def test_a_file_without_header_but_with_dates_is_read(tmp_path: Path) -> None:
    panel = read_panel(csv(tmp_path, "2020-01-31,2", "2020-02-29,4", "2020-03-31,4")).panel

    assert targets(panel) == {"1": [2, 4, 4]}
    assert panel.frequency == "ME"


def test_packed_files_and_standard_input_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"\xef\xbb\xbfdate,a\n2020-01-01 00:00,1\n2020-01-01 00:15,2\n"
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(content))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    one, other = read_panel(packed), read_panel(Path("-"))

    same(one.panel, other.panel)
    assert (targets(one.panel), one.panel.frequency) == ({"a": [1, 2]}, "15min")


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_lines_may_end_in_other_ways(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(ending.join(["date,a", "2020-01-01,1", "2020-01-02,2"]).encode())

    assert targets(read_panel(file).panel) == {"a": [1, 2]}


def test_blank_lines_keep_lines_their_numbers(tmp_path: Path) -> None:
    good = csv(tmp_path, "date,a", "", "2020-01-01,1", "", "2020-01-02,2", "")
    assert targets(read_panel(good).panel) == {"a": [1, 2]}

    bad = csv(tmp_path, "date,a", "", "2020-01-01,1", "", "2020-01-01,2")
    assert "line 3 and line 5" in refusal(bad)


def test_columns_of_text_rows_counts_and_nothing_are_left_out(tmp_path: Path) -> None:
    file = csv(tmp_path, ",date,a,comment,b", "0,2020-01-01,1,x,", "1,2020-01-02,2,y,")

    reading = read_panel(file)

    assert targets(reading.panel) == {"a": [1, 2]}
    assert reading.notes == (
        "columns that are left out: 'Unnamed: 0', 'comment'",
        "columns without any value are left out: 'b'",
    )


def test_covariates_are_those_of_each_series(tmp_path: Path) -> None:
    lines = ["date,a,b,wind,holiday", "2020-01-01,1,,7,0", "2020-01-02,2,20,8,1"]
    lines += ["2020-01-03,,,,1", "2020-01-04,,,,0"]

    panel = read_panel(csv(tmp_path, *lines), Layout(past=("wind",), known=("holiday",))).panel

    assert targets(panel) == {"a": [1, 2], "b": [20]}
    assert dates(panel, 1)[0] == "2020-01-02 00:00:00"
    np.testing.assert_array_equal(panel.history, [2, 1])
    np.testing.assert_array_equal(panel.offsets, [0, 4, 7])
    np.testing.assert_array_equal(panel.known[:, 0], [0, 1, 1, 0, 1, 1, 0])
    np.testing.assert_array_equal(panel.past[:, 0], [7, 8, NAN, NAN, 8, NAN, NAN])


def test_parquet_and_csv_are_read_alike(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "unique_id": ["b", "b", "a", "a", "a"],
            "ds": pd.to_datetime(["2020-01-01", "2020-02-01", *["2020-01-01"] * 3]),
            "y": [1, 2, 3, 4, 5],
            "on": [True, False, True, True, False],
            "size": [7.5, 7.5, 1, 1, 1],
            "colour": ["red", "red", None, "blue", "blue"],
        }
    )
    frame.loc[2:, "ds"] = pd.date_range("2020-03-01", periods=3, freq="MS")
    layout = Layout(past=("on",), static=("size", "colour"), name="shops")
    frame.to_parquet(tmp_path / "table.parquet")
    # CSV knows no booleans beside missing values, but it knows these.
    frame.to_csv(tmp_path / "table.csv", index=False)

    expected = panel_from_frame(frame, layout).panel

    same(read_panel(tmp_path / "table.parquet", layout).panel, expected)
    same(read_panel(tmp_path / "table.csv", layout).panel, expected)
    assert expected.frequency == "MS"
    assert expected.categories == {"colour": ["red", "blue"]}
    np.testing.assert_array_equal(expected.static, [[7.5], [1]])
    np.testing.assert_array_equal(expected.past[:, 0], [1, 0, 1, 1, 0])


@pytest.mark.parametrize("named", [True, False])
def test_the_index_that_parquet_stores_may_be_the_dates(tmp_path: Path, named: bool) -> None:
    index = pd.date_range("2020-01-01", periods=3, freq="h", name="when" if named else None)
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=index)
    frame.to_parquet(tmp_path / "a.parquet")
    layout = Layout(date="when") if named else None

    same(read_panel(tmp_path / "a.parquet", layout).panel, panel_from_frame(frame).panel)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**31))
def test_the_order_of_rows_means_nothing(lengths: list[int], seed: int) -> None:
    start = pd.Timestamp("2020-01-01")
    rows = [
        (f"s{series}", start + pd.Timedelta(hours=2 * step + series), series + step / 8)
        for series, length in enumerate(lengths)
        for step in range(length + 1)
    ]
    frame = pd.DataFrame(rows, columns=["unique_id", "ds", "y"])
    shuffled = frame.sample(frac=1, random_state=seed)

    one, other = panel_from_frame(frame).panel, panel_from_frame(shuffled).panel

    assert targets(one) == targets(other)
    assert one.starts is not None
    assert other.starts is not None
    assert dict(zip(one.names, one.starts, strict=True)) == dict(
        zip(other.names, other.starts, strict=True)
    )


@pytest.mark.parametrize(
    ("lines", "layout", "expected"),
    [
        ([], Layout(), ["is empty"]),
        (["date,a"], Layout(), ["there are no rows"]),
        (["date,a", "2020-01-01,1,2"], Layout(), ["cells"]),
        (["date,a", "2020-01-01,1", "2020-01-02,1,2"], Layout(), ["line 3", "cells"]),
        (["date,a", "2020-01-01,1", "2020-01-02,x"], Layout(), ["'x' in the column 'a'", "line 3"]),
        (["date,a", "2020-01-01,x"], Layout(), ["no column of numbers", "accepted: a, date"]),
        (["date,a", "2020-01-01,1"], Layout(target=("A",)), ["no column 'A'", "mean: a"]),
        (["date,a", "2020-01-01,1"], Layout(known=("b",)), ["no column 'b'", "data.known"]),
        (["date,a", "2020-01-01,1"], Layout(kind="long"), ["no column 'unique_id'", "data.id"]),
        (["unique_id,ds,z", "a,2020-01-01,x"], Layout(), ["no column 'y'", "data.target"]),
        (["unique_id,ds,y", ",2020-01-01,1"], Layout(), ["names no series", "line 2"]),
        (
            ["unique_id,ds,y", "a,2020-01-01,1", "a,2020-01-02,inf"],
            Layout(),
            ["'y' of the series 'a' is infinite at 2020-01-02", "line 3"],
        ),
        (["date,a,s", "2020-01-01,1,2"], Layout(kind="wide", static=("s",)), ["data.static"]),
        (["date,a,s", "2020-01-01,1,2"], Layout(kind="wide", id="s"), ["data.id"]),
        (["1,2", "3,4"], Layout(kind="plain"), ["one number a line", "2"]),
        (["V1,V2", "a,1", "a,2"], Layout(), ["'a' comes twice", "line 2 and line 3"]),
        (["V1,V2", "a,1", "b,"], Layout(), ["'b' has no value", "line 3"]),
        (["V1,V2,V3", "a,1,2", "b,1,-inf"], Layout(), ["'b' is infinite at step 2", "line 3"]),
        (["V1,V2", ",1"], Layout(kind="ragged"), ["names no series", "line 2"]),
        (["V1,V2", "a,1"], Layout(kind="ragged", past=("V2",)), ["no covariates"]),
        (
            ["unique_id,ds,y,size", "a,2020-01-01,1,5", "a,2020-01-02,1,6"],
            Layout(static=("size",)),
            ["'size' describes series, but changes within 'a'", "line 2 and line 3"],
        ),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, lines: list[str], layout: Layout, expected: list[str]
) -> None:
    message = refusal(csv(tmp_path, *lines), layout)

    assert all(part in message for part in expected), message


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    csv(tmp_path, "1", name="sales.csv")
    (tmp_path / "latin.csv").write_bytes("date,a\n2020-01-01,1\n# caf\xe9,2\n".encode("latin-1"))
    (tmp_path / "packed.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "table.parquet").write_bytes(b"no parquet")

    assert "did you mean" in refusal(tmp_path / "sale.csv")
    assert "no text in UTF-8" in refusal(tmp_path / "latin.csv")
    assert "cannot be read" in refusal(tmp_path / "packed.csv.gz")
    assert "cannot be read as Parquet" in refusal(tmp_path / "table.parquet")


def test_a_cell_of_text_in_parquet_is_named_by_its_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"date": ["2020-01-01", "2020-01-02"], "a": ["1", "one"]})
    frame.to_parquet(tmp_path / "a.parquet")

    message = refusal(tmp_path / "a.parquet")

    assert "'one' in the column 'a' is no number" in message
    assert "a.parquet, row 1" in message


@pytest.mark.parametrize(
    ("name", "frequency", "series", "steps", "first"),
    [
        ("AirPassengers.csv", "MS", 1, 144, 112),
        ("ETTh1.csv.gz", "h", 7, 17420, 5.827000141143799),
        ("Hourly-train.csv.gz", None, 414, 700, 605),
        ("Hourly-test.csv.gz", None, 414, 48, 619),
        ("monthly-sunspots.csv", "MS", 1, 2820, 58),
        ("santafe_laser.txt", None, 1, 10093, 86),
        ("taxi_new_york_passengers.csv", "30min", 1, 10320, 10844),
        ("temps.csv", "D", 1, 3652, 20.7),
    ],
)
def test_real_files_are_read_as_they_are(
    data_root: Path, name: str, frequency: str | None, series: int, steps: int, first: float
) -> None:
    panel = read_panel(data_root / "timeseries" / name).panel

    assert panel.frequency == frequency
    assert (len(panel), int(panel.history[0])) == (series, steps)
    assert panel.values[0, 0] == first


def test_wide_files_are_not_read_in_more_pieces_for_having_more_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[int] = []
    add = Chunks.add

    def counting(chunks: Chunks, piece: pd.DataFrame) -> None:
        pieces.append(len(piece))
        add(chunks, piece)

    monkeypatch.setattr(Chunks, "add", counting)
    monkeypatch.setattr(csv_source, "CHUNK_CELLS", 100)
    values = np.arange(600 * 40).reshape(600, 40)
    lines = [",".join(map(str, row)) for row in values.tolist()]
    header = ",".join(f"s{number}" for number in range(40))

    panel = read_panel(csv(tmp_path, header, *lines)).panel

    assert pieces == [128, 128, 128, 128, 88]
    np.testing.assert_array_equal(panel.values[:, 0], values.T.flatten())


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_again_behind_a_table_read_or_not(
    tmp_path: Path, enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,4,5,6\n")
    seen: list[bool] = []
    read = assembly.read_source

    def watched(source: Source, layout: Layout) -> Reading:
        seen.append(gc.isenabled())
        return read(source, layout)

    monkeypatch.setattr(files, "read_source", watched)
    (gc.enable if enabled else gc.disable)()
    try:
        read_panel(tmp_path / "good.csv")
        after_good = gc.isenabled()
        with pytest.raises(UserError):
            read_panel(tmp_path / "bad.csv")
        after_bad = gc.isenabled()
    finally:
        gc.enable()

    assert seen == [False, False]
    assert (after_good, after_bad) == (enabled, enabled)
