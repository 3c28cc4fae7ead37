"""What `infer` writes: a table for each input, and a picture if one is asked for."""

import gzip
import io
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqforge.cli.infer import write
from seqforge.errors import UserError
from seqforge.task import Source, Table
from seqforge_tasks.forecasting.answers import answer, pictures_of
from seqforge_tasks.forecasting.forecaster import Forecaster
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.pictures import MOST
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import panel_from_frame
from seqforge_tasks.forecasting.task import Forecasting
from tests.tasks.forecasting.forecasters import long, repeating, wide

Options = ForecastingOptions


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(task: Forecasting, *inputs: Source, options: ForecastingOptions | None = None) -> str:
    """Return what the command line writes."""
    stream = io.StringIO()
    write(answer(task, inputs, options or Options()), stream, Path("figure"))
    return stream.getvalue()


def mistake(task: Forecasting, *inputs: Source, options: ForecastingOptions | None = None) -> str:
    """Return the message, as one line, and see that nothing was written before."""
    with pytest.raises(UserError) as caught:
        written(task, *inputs, options=options)
    assert len(str(caught.value).splitlines()) <= 5
    return " ".join(str(caught.value).split())


# -- tables ------------------------------------------------------------------------------------


def test_a_wide_file() -> None:
    wide().to_csv("sales.csv", index=False)
    task = repeating(wide(), head="gaussian", levels=[80.0])
    lines = written(task, Path("sales.csv")).splitlines()

    assert lines[0] == "day,a,a-lo-80,a-hi-80,b,b-lo-80,b-hi-80"
    assert re.fullmatch(r"2024-01-21,29,21\.\d+,36\.\d+,62,47\.\d+,76\.\d+", lines[1])
    assert len(lines) == 5
    read = pd.read_csv(io.StringIO(written(task, Path("sales.csv"))), parse_dates=["day"])
    expected = task.forecast(wide())
    pd.testing.assert_frame_equal(read, expected, rtol=1e-6, check_dtype=False)


def test_a_long_file_and_a_packed_one() -> None:
    long().to_csv("sales.csv.gz", index=False)
    long().to_parquet("sales.parquet")
    task = repeating(long())
    expected = "unique_id,ds,forecast\na,2024-01-21,29\na,2024-01-22,29\n"

    assert gzip.decompress(Path("sales.csv.gz").read_bytes()).startswith(b"unique_id,ds,y")
    assert written(task, Path("sales.csv.gz")).startswith(expected)
    assert written(task, Path("sales.parquet")).startswith(expected)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = wide().to_csv(index=False).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert written(repeating(wide()), Path("-")).splitlines()[1] == "2024-01-21,29,62"


def test_rows_of_series_as_in_the_m4_competition() -> None:
    Path("hourly.csv").write_text('"V1","V2","V3","V4"\n"H1",5,6,7\n"H2",8,9,\n', encoding="utf-8")
    lines = written(repeating(long()), Path("hourly.csv")).splitlines()
    assert lines[0].endswith(",step,forecast")
    assert lines[1:3] == ["H1,4,7", "H1,5,7"]
    assert lines[5] == "H2,3,9"


def test_one_number_a_line() -> None:
    Path("laser.txt").write_text("86\n141\n95\n", encoding="utf-8")
    lines = written(repeating(wide()), Path("laser.txt")).splitlines()
    assert lines == ["step,laser", "4,95", "5,95", "6,95", "7,95"]


def test_numbers_typed_inline() -> None:
    task = repeating(wide())
    assert written(task, "1 2 3", options=Options(horizon=2)).splitlines()[1:] == ["4,3", "5,3"]
    several = written(task, "1, 2, 3", "nan 4", options=Options(horizon=1)).splitlines()
    assert several == ["unique_id,step,forecast", "series 1,4,3", "series 2,3,4"]


def test_each_file_has_a_table_and_inline_numbers_another() -> None:
    wide().to_csv("one.csv", index=False)
    long().to_csv("two.csv", index=False)
    inputs: list[Source] = ["7 8", Path("one.csv"), Path("two.csv")]
    tables = list(answer(repeating(wide()), inputs, Options()))
    assert all(isinstance(table, Table) for table in tables)
    first_cells = [table.columns[0] for table in tables if isinstance(table, Table)]
    assert first_cells == ["day", "unique_id", "step"]


# -- pictures ------------------------------------------------------------------------------------


def test_a_picture_for_each_input() -> None:
    wide().to_csv("one.csv", index=False)
    task = repeating(wide(), head="gaussian")
    plain = written(task, Path("one.csv"), "1 2 3")
    assert written(task, Path("one.csv"), "1 2 3", options=Options(plot="out.png")) == plain
    assert sorted(path.name for path in Path().glob("out*")) == ["out-2.png", "out.png"]
    assert np.asarray(Image.open("out.png")).std() > 0


def test_what_a_picture_shows() -> None:
    frame = wide()
    task = repeating(frame, head="gaussian", levels=[80.0])
    _, falling = Forecaster(task, Options()).forecast(panel_from_frame(frame))
    (picture,) = pictures_of(falling)
    assert picture.name == "b"
    np.testing.assert_array_equal(picture.past, frame["b"])
    np.testing.assert_array_equal(picture.past_times, frame["day"].to_numpy())
    assert picture.times[0] == np.datetime64("2024-01-21")
    np.testing.assert_allclose(picture.forecast, 62.0, rtol=1e-6)
    assert [band.level for band in picture.bands] == [80.0]
    assert picture.truth is None


def test_many_series_are_not_all_drawn() -> None:
    frame = wide(frequency=None)
    many = pd.DataFrame({f"s{number}": frame["a"] for number in range(MOST + 2)})
    task = repeating(many)
    many.to_csv("many.csv", index=False)
    assert written(task, Path("many.csv"), options=Options(plot="many.pdf")).count("\n") == 5
    assert Path("many.pdf").read_bytes().startswith(b"%PDF")


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plot", "pattern"),
    [
        ("out.pgn", r"a picture 'out.pgn' where: --plot accepted: .*\.png.* did you mean: .?png"),
        ("out", r"a picture 'out', without an ending where: --plot .*forecast.png"),
        ("nowhere/out.png", "cannot write 'nowhere/out.png': No such file.* where: --plot"),
        ("folder.png", "cannot write 'folder.png': Is a directory where: --plot"),
    ],
)
def test_pictures_that_cannot_be_written(plot: str, pattern: str) -> None:
    Path("folder.png").mkdir()
    task = repeating(wide())
    assert re.match(pattern, mistake(task, "1 2 3", options=Options(plot=plot)))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", "no series to forecast where: inputs to do: give a file by -i, or the values"),
        ("sales.csv", "'sales.csv' in input 1 is no number where: inputs .*files come by -i"),
        ("1 2 x3", "'x3' in input 1 is no number"),
        ("1 inf", "infinite"),
        ("nan nan", "has no measured value"),
    ],
)
def test_inline_mistakes(text: str, pattern: str) -> None:
    assert re.search(pattern, mistake(repeating(wide()), text))


def test_inline_numbers_have_neither_covariates_nor_channels() -> None:
    frame = wide().assign(price=1.0)
    task = repeating(frame, layout=Layout(known=("price",)))
    assert "numbers typed inline, and the network also reads price" in mistake(task, "1 2 3")
    both = repeating(wide(), layout=Layout(multivariate=True))
    assert "channels of a series: 1, and the network forecasts 2: a, b" in mistake(both, "1 2 3")


def test_mistakes_in_files_name_options_of_infer() -> None:
    wide().rename(columns={"a": "x"}).to_csv("sales.csv", index=False)
    task = repeating(wide())
    found = mistake(task, Path("sales.csv"), options=Options(target=["a", "b"]))
    assert re.match(r"sales.* has no column 'a' where: --target accepted: b, day, x", found)
    assert "data." not in found


def test_mistakes_come_before_anything_is_written() -> None:
    task = repeating(wide())
    for options, where in (
        (Options(horizon=99), "--horizon"),
        (Options(levels=[80]), "--levels"),
        (Options(plot="x.doc"), "--plot"),
    ):
        assert f"where: {where}" in mistake(task, "1 2 3", options=options)


# -- mistakes name the input and the options of the command ------------------------------------


def test_files_that_are_unlike_training_are_named() -> None:
    wide(frequency="h").to_csv("hours.csv", index=False)
    assert "where: hours.csv to do" in mistake(repeating(wide()), Path("hours.csv"))
    data = long()
    data["y"] = data["y"].where(data["unique_id"] != "b")
    data.to_csv("silent.csv", index=False)
    assert "where: silent.csv to do" in mistake(repeating(long()), Path("silent.csv"))


def test_what_has_no_option_names_the_key_of_training() -> None:
    task = repeating(wide())
    lines = wide().to_csv(index=False).splitlines()
    Path("twice.csv").write_text("\n".join([*lines, lines[-1]]), encoding="utf-8")
    assert "set data.duplicates in training to first" in mistake(task, Path("twice.csv"))
    lines[5] = "someday,1,2"
    Path("someday.csv").write_text("\n".join(lines), encoding="utf-8")
    assert "or set data.date_format in training" in mistake(task, Path("someday.csv"))


def test_a_frequency_that_there_is_not() -> None:
    wide().to_csv("sales.csv", index=False)
    found = mistake(repeating(wide()), Path("sales.csv"), options=Options(frequency="bogus"))
    assert "no frequency 'bogus' where: --frequency" in found
