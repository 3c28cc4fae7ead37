"""The bare loop has the network and the batches of `seqforge fit`; Keras itself is not run."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmarks.character_peers import Sizes, own_settings, prepare, systems, text_options
from benchmarks.peers.torch_characters import CharacterModel
from seqforge.data import TokenBatch
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.task import Progress
from seqforge_tasks.char_generation import CharGeneration, TextFile

SIZES = Sizes(hidden_size=6, batch_size=4, seq_len=10)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQFORGE_DATA", str(tmp_path))
    file = tmp_path / "tinyshakespeare" / "input.txt"
    file.parent.mkdir()
    file.write_text("".join(chr(97 + number * number % 23) for number in range(1000)))
    prepare(tmp_path / "data", SIZES)
    return tmp_path / "data"


def test_batches_go_on_where_the_last_one_ended(data: Path) -> None:
    with np.load(data / "batches.npz") as file:
        inputs, targets = file["inputs"], file["targets"]

    assert inputs.shape[1:] == (4, 10)
    np.testing.assert_array_equal(inputs[:, :, 1:], targets[:, :, :-1])
    np.testing.assert_array_equal(inputs[1:, :, 0], targets[:-1, :, -1])


def test_the_bare_network_is_ours(data: Path) -> None:
    files = TextFile(**text_options(data, SIZES))
    files.setup("fit")
    task = CharGeneration()
    torch.manual_seed(1)
    task.build(EncoderFactory(partial(LSTM, hidden_size=6, num_layers=2)), files.spec())
    own = dict(task.named_parameters())
    with np.load(data / "batches.npz") as file:
        bare = CharacterModel(int(file["characters"]), 128, SIZES.hidden_size, 2)
        inputs, targets = (torch.from_numpy(file[name]) for name in ("inputs", "targets"))
    for name, parameter in bare.named_parameters():
        part, _, kind = name.partition(".")
        ours = f"encoder.layers.{kind[-1]}.rnn.{kind[:-1]}0" if part == "lstm" else name
        parameter.data = own.pop(ours).detach().clone()
    batch = next(iter(files.train_dataloader()))
    assert isinstance(batch, TokenBatch)

    loss = task.loss(batch, task.start(4), Progress(0, 0, 0.0)).terms["loss"]
    scores, _ = bare(inputs[0], None)
    theirs = F.cross_entropy(scores.flatten(0, 1), targets[0].flatten())

    assert own == {}
    torch.testing.assert_close(loss.total / loss.count, theirs)


def test_all_are_told_the_same(data: Path, tmp_path: Path) -> None:
    settings = own_settings(data, tmp_path, Sizes(), precision="32-true")

    assert settings["model"]["encoder"]["init_args"] == {"hidden_size": 512, "num_layers": 2}
    assert settings["model"]["optimizer"]["init_args"] == {"lr": 0.002, "weight_decay": 0.01}
    assert settings["trainer"]["precision"] == "32-true"
    assert "precision" not in own_settings(data, tmp_path, Sizes(), None)["trainer"]


def test_keras_is_left_out_where_there_is_none(data: Path) -> None:
    alone = [each.name for each in systems(data, SIZES, None)]
    all_of_them = systems(data, SIZES, Path("peers") / "python")

    assert not any("Keras" in name for name in alone)
    assert [each.name for each in all_of_them[: len(alone)]] == alone
    words = [str(word) for word in all_of_them[-1].words(Path("run"))]
    assert words[:2] == ["env", "KERAS_BACKEND=torch"]
    assert words[-2:] == ["--log", str(Path("run") / "steps.jsonl")]
