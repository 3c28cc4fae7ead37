"""Checkpoints whose parts can be read, but not be put back, and those of other runs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.cli.main import main
from tests.cli.tiny import write_inputs

Output = pytest.CaptureFixture[str]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Inside an epoch, where there is most to put back.
        limits = ["--trainer.max_steps", "10", "--trainer.max_epochs", "1"]
        assert main(["fit", "--config", "tiny.yaml", "--run", "one", *limits]) == 0
    return folder


@pytest.fixture
def checkpoint(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copy the run's last checkpoint, its configuration and the inputs into the current folder."""
    write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    last = Path("runs/one/checkpoints/last.ckpt")
    last.parent.mkdir(parents=True)
    for file in (last, Path("runs/one/config.yaml")):
        file.write_bytes((trained / file).read_bytes())
    yield last
    torch.use_deterministic_algorithms(False)


def mistake(capsys: Output) -> str:
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert len(message.splitlines()) <= 5
    assert "Traceback" not in message
    return message


def change(file: Path, *path: str, to: Any) -> None:
    saved = torch.load(file, weights_only=True)
    part = saved
    for name in path[:-1]:
        part = part[name]
    if to is None:
        del part[path[-1]]
    else:
        part[path[-1]] = to
    torch.save(saved, file)


RESTORED = {
    "callbacks are a number": (("callbacks",), 5),
    "the best ones are a number": (("callbacks", "Checkpointer"), {"best": 5}),
    "optimizer states are a number": (("optimizer_states",), 5),
    "no learning rate schedules": (("lr_schedulers",), None),
    "loops are empty": (("loops",), {}),
    "epochs are a text": (
        ("loops", "fit_loop", "epoch_progress", "current", "completed"),
        "x",
    ),
    "generators are a number": (("random",), 5),
    "generators are empty": (("random",), [{}]),
    "the carry is a number": (("carry",), 5),
    "the carry has another shape": (("carry",), [torch.ones(3)]),
    "the position is a number": (("TextFile",), 5),
    "the position has other keys": (("TextFile",), {"page": 5}),
    "the average is of other weights": (("average",), {"weights": {"x": torch.ones(1)}}),
    "the average is a number": (("average",), 5),
    "metrics are a number": (("metrics",), 5),
    "a metric is a text": (("metrics",), {"val/loss": "x"}),
    "no global_step": (("global_step",), None),
    "state_dict is a number": (("state_dict",), 5),
}


@pytest.mark.parametrize(("path", "to"), RESTORED.values(), ids=RESTORED)
def test_what_cannot_be_put_back_is_a_users_mistake(
    path: tuple[str, ...], to: Any, checkpoint: Path, capsys: Output
) -> None:
    change(checkpoint, *path, to=to)

    options = ["--run", "one", "--trainer.max_steps", "20"]
    if path[0] == "average":
        options[:2] = ["--ckpt_path", str(checkpoint), "--model.ema", "0.9"]
    assert main(["fit", "--config", "tiny.yaml", *options]) == 2
    assert "last.ckpt" in mistake(capsys)


@pytest.mark.parametrize("command", ["validate", "predict"])
@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("callbacks",), 5),
        (("seqforge", "spec", "vocabulary"), 5),
        (("seqforge", "spec", "vocabulary"), None),
        (("seqforge", "spec", "vocabulary", "characters"), 5),
    ],
)
def test_what_cannot_be_put_back_to_measure(
    path: tuple[str, ...], to: Any, command: str, checkpoint: Path, capsys: Output
) -> None:
    change(checkpoint, *path, to=to)

    assert main([command, "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 2
    assert "last.ckpt' cannot be restored" in mistake(capsys)


def test_another_network_names_the_runs_own_configuration(checkpoint: Path, capsys: Output) -> None:
    options = ["--ckpt_path", "runs/one", "--model.encoder", "GRU"]
    assert main(["validate", "--config", "tiny.yaml", *options]) == 2
    message = mistake(capsys)
    assert "do not fit the configured network" in message
    assert "--config runs/one/config.yaml" in message


def test_errors_of_training_keep_their_traceback(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("seqforge_tasks.char_generation.CharGeneration.loss", broken)
    with pytest.raises(KeyError, match="a bug"):
        main(["fit", "--config", "tiny.yaml", "--run", "one", "--trainer.max_steps", "20"])


# -- whose text it is --------------------------------------------------------------------------


def test_another_text_is_another_run(checkpoint: Path, capsys: Output) -> None:
    text = Path("small.txt").read_text(encoding="utf-8")
    Path("other.txt").write_text("\n".join(reversed(text.splitlines())), encoding="utf-8")
    other = ["--data.path", "other.txt", "--trainer.max_steps", "20"]

    assert main(["fit", "--config", "tiny.yaml", "--run", "one", *other]) == 2
    assert "data.init_args.path is 'other.txt'" in mistake(capsys)

    assert main(["fit", "--config", "tiny.yaml", "--resume", "auto", *other]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "'one', differs in data.init_args.path" in said
    assert len(list(Path("runs").glob("*/config.yaml"))) == 2


@pytest.mark.parametrize(
    ("missing", "given", "code"),
    [
        ("      sample_prompt: 'The '\n", (), 0),
        ("  ema: 0.0\n", (), 0),
        ("  ema: 0.0\n", ("--model.ema", "0.5"), 2),
    ],
)
def test_an_option_that_a_run_could_not_have(
    missing: str, given: tuple[str, ...], code: int, checkpoint: Path, capsys: Output
) -> None:
    config = Path("runs/one/config.yaml")
    text = config.read_text(encoding="utf-8")
    assert missing in text
    config.write_text(text.replace(missing, ""), encoding="utf-8")

    options = ["--run", "one", "--trainer.max_steps", "20", *given]
    assert main(["fit", "--config", "tiny.yaml", *options]) == code
    if code:
        assert "model.ema is 0.5, but run 'one' was started with 0.0" in mistake(capsys)
