"""The benchmark of pipelines, tiny: loading, start and help of what ships and of made-up files."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from benchmarks.pipeline_clock import FirstStep
from benchmarks.pipelines import DEFAULTS, FILES, Runs, default, measure, parsed

TINY = ["--quick", "--threads", "1"]


def test_a_default_is_measured_from_loading_to_help(tmp_path: Path) -> None:
    chosen = parsed([*TINY, "--defaults", "forecasting", "--files"])

    text = measure(tmp_path, chosen)

    assert "| pair | ready-made, batches/s | loaded, batches/s | ratio |" in text
    assert "| forecasting | " in text
    assert "`seqforge --help`: 0." in text or "`seqforge --help`: 1." in text


def test_a_made_up_file_is_read(tmp_path: Path) -> None:
    chosen = parsed([*TINY, "--defaults", "--files", "TimeSeries"])

    assert "TimeSeries, **" in measure(tmp_path, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TextFile", "ParallelText", "ImageCaptions"])
def test_all_other_made_up_files_are_read(name: str, tmp_path: Path) -> None:
    chosen = parsed([*TINY, "--defaults", "--files", name])

    assert f"{name}, **" in measure(tmp_path, chosen)


def test_all_offline_defaults_are_measured_by_default() -> None:
    folder = Path(__file__).parents[2] / "configs"

    assert {f"{name}.yaml" for name in DEFAULTS} == {file.name for file in folder.glob("*.yaml")}
    assert parsed([]).defaults == list(DEFAULTS)
    assert parsed([]).files == list(FILES)


def test_a_default_is_what_the_file_says() -> None:
    file = Path(__file__).parents[2] / "configs" / "translation.yaml"

    assert default("translation") == yaml.safe_load(file.read_text(encoding="utf-8"))


def test_the_first_step_alone_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer: Any = SimpleNamespace(should_stop=False)
    clock = FirstStep(str(tmp_path / "report.json"))
    for now in (10.0, 20.0):
        monkeypatch.setattr("benchmarks.pipeline_clock.time.time", lambda now=now: now)
        clock.on_train_batch_end(trainer, None, None, None, 0)

    assert json.loads((tmp_path / "report.json").read_text()) == {"ended": 10.0}
    assert trainer.should_stop


def test_a_run_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ended with 2, see .*wrong\.log"):
        Runs(tmp_path, 1).run("wrong", "fitt")
