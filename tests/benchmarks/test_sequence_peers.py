"""What other peers and seqforge are told; none of them is run."""

from pathlib import Path

import numpy as np
import yaml

from benchmarks.sequence_peers import (
    captioning,
    forecasting,
    forecasting_settings,
    made_up,
    translation,
)


def test_peers_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    python = tmp_path / "python"

    for alone, both in (
        (translation(tmp_path, 2, None), translation(tmp_path, 2, python)),
        (forecasting(tmp_path, None), forecasting(tmp_path, python)),
    ):
        assert all(each.name.startswith("seqforge") for each in alone)
        assert [each.name for each in both[:-1]] == [each.name for each in alone]


def test_ours_logs_its_steps_and_validates_nothing(tmp_path: Path) -> None:
    for own in (translation(tmp_path, 2, None)[0], forecasting(tmp_path, None)[0]):
        words = [str(word) for word in own.words(tmp_path)]

        settings = yaml.safe_load((tmp_path / "config.yaml").read_text())
        (callback,) = settings["trainer"]["callbacks"]
        assert words[1:5] == ["-m", "seqforge", "fit", "--config"]
        assert callback["init_args"] == {"log": str(tmp_path / "steps.jsonl")}
        assert settings["trainer"]["limit_val_batches"] == 0
        assert "precision" not in settings["trainer"]


def test_joeynmt_trains_on_without_end(tmp_path: Path) -> None:
    peer = translation(tmp_path, 3, tmp_path / "python")[-1]

    words = [str(word) for word in peer.words(tmp_path)]

    settings = yaml.safe_load((tmp_path / "peer.yaml").read_text())
    assert settings["training"]["epochs"] == 1000
    assert settings["threads"] == 3
    assert words[-2:] == ["--report", str(tmp_path / "steps.jsonl")]


def test_forecasters_have_the_peers_sizes(tmp_path: Path) -> None:
    settings = forecasting_settings(tmp_path / "ETTh1.csv.gz", tmp_path)

    data, model = settings["data"]["init_args"], settings["model"]
    assert (data["context"], data["horizon"], data["batch_size"]) == (96, 96, 1024)
    assert model["encoder"]["init_args"] == {"hidden_size": 128, "num_layers": 2}
    assert model["optimizer"]["init_args"]["lr"] == 0.001


def test_the_tutorial_is_trained_as_published_and_mended(tmp_path: Path) -> None:
    features = made_up(tmp_path / "data", 3)
    systems = captioning(tmp_path / "captions.jsonl.gz", features)
    words = [[str(word) for word in each.words(tmp_path)] for each in systems]

    assert np.load(features).shape == (3, 25, 1280)
    assert all(each[4] == str(features) for each in words)

    assert [each[2] for each in words] == ["own", "own", "tutorial", "tutorial"]
    assert ["--keys-once" in each for each in words] == [False, False, False, True]
