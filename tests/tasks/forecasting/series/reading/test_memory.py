"""How much memory reading takes: ten thousand series of a thousand points."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SERIES, STEPS = 10_000, 1_000
LIMIT = 300
"""Megabytes above what the interpreter takes with everything imported."""

MEASURE = """
import resource, sys
from pathlib import Path
import pyarrow.parquet
from seqforge_tasks.forecasting.series.reading import read_panel
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
panel = read_panel(Path(sys.argv[1])).panel
print(len(panel), len(panel.values), panel.frequency)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def _peak(file: Path) -> tuple[str, float]:
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )
    what, peak = finished.stdout.splitlines()
    return what, float(peak)


def _dates() -> pa.Array:
    return pa.array(np.arange(STEPS) * 3_600_000_000, pa.timestamp("us"))


def _wide() -> pa.Table:
    values = np.random.default_rng(0).normal(size=(SERIES, STEPS))
    return pa.table({"date": _dates()} | {f"s{index}": row for index, row in enumerate(values)})


def _long() -> pa.Table:
    numbers = pa.array(np.repeat(np.arange(SERIES, dtype=np.int32), STEPS))
    names = pa.DictionaryArray.from_arrays(numbers, [f"s{index}" for index in range(SERIES)])
    dates = pa.chunked_array([_dates()] * SERIES)
    values = np.random.default_rng(0).normal(size=SERIES * STEPS)
    return pa.table({"unique_id": names.cast(pa.string()), "ds": dates, "y": values})


@pytest.mark.slow
@pytest.mark.parametrize("table", [_wide, _long])
def test_many_series_stay_within_their_memory(
    tmp_path: Path, table: Callable[[], pa.Table]
) -> None:
    file = tmp_path / "table.parquet"
    pq.write_table(table(), file)

    what, peak = _peak(file)

    assert what == f"{SERIES} {SERIES * STEPS} h"
    assert peak < LIMIT


@pytest.mark.slow
def test_many_series_of_text_stay_within_their_memory(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    values = np.random.default_rng(0).integers(0, 1000, (STEPS, SERIES))
    with file.open("w") as out:
        out.write("date," + ",".join(f"s{index}" for index in range(SERIES)) + "\n")
        for step, row in enumerate(values):
            date = np.datetime64("2020-01-01T00") + np.timedelta64(step, "h")
            out.write(f"{date}:00," + ",".join(map(str, row)) + "\n")

    what, peak = _peak(file)

    assert what == f"{SERIES} {SERIES * STEPS} h"
    assert peak < LIMIT
