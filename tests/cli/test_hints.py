"""Mistakes in configurations: short messages with key, place, choices and a way out."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge import registry
from seqforge.cli.hints import essentials
from seqforge.cli.main import main
from seqforge.discovery import PLUGINS_VARIABLE, Entry
from seqforge.plugin_loading import Failure

RunCli = Callable[..., tuple[int, str, str]]
Fails = Callable[..., list[str]]

TASK = "model: {task: CharGeneration}\n"
DATA = "data: {class_path: TextFile}\n"
GOOD = TASK + DATA


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PLUGINS_VARIABLE, raising=False)


def encoder(text: str) -> str:
    return f"model:\n  task: CharGeneration\n  encoder: {text}\n{DATA}"


LSTM_ARGUMENTS = "accepted: bias, bidirectional, dropout, dropout_kind, forget_bias, hidden_size"
UNDER_MODEL = "accepted: ema, encoder, optimizer, roles, schedule, spec, task"

# name: (configuration, further arguments, what must appear in the message)
MISTAKES: dict[str, tuple[str, list[str], list[str]]] = {
    # classes
    "class, command line": (
        GOOD,
        ["--model.encoder", "LSTMM"],
        [
            "no encoder is called 'LSTMM'",
            "where: model.encoder (command line)",
            "accepted: GRU, LSTM, RNN",
            "did you mean: LSTM",
            "to do: write LSTM, or install the package",
        ],
    ),
    "a word for a number, or a tensor": (
        GOOD,
        ["--model.optimizer.lr", "abc"],
        ["model.optimizer.lr cannot be 'abc'", "accepted: a number", "optimizer.lr (command line)"],
    ),
    "a word that is no choice, beside a date for text": (
        f"{TASK}data: {{class_path: TextFile, init_args: {{path: 2020-01-01}}}}",
        ["--data.unit", "byte"],
        ["data.unit cannot be 'byte'", "data.unit (command line)", "did you mean: bytes"],
    ),
    "a word for a number, beside a word for a class": (
        f"{GOOD}trainer: {{accelerator: cpu}}",
        ["--trainer.gradient_clip_val", "x"],
        ["trainer.gradient_clip_val cannot be 'x'", "trainer.gradient_clip_val (command line)"],
    ),
    "class, file": (
        encoder("{class_path: GRUU}"),
        [],
        ["no encoder is called 'GRUU'", "where: model.encoder (run.yaml:3)", "did you mean: GRU"],
    ),
    "class, short form": (encoder("gru"), [], ["'gru'", "run.yaml:3", "did you mean: GRU"]),
    "task": (
        f"model:\n  task: {{class_path: CharGenration}}\n{DATA}",
        [],
        ["no task is called 'CharGenration'", "model.task (run.yaml:2)", "mean: CharGeneration"],
    ),
    "data": (
        f"{TASK}data: {{class_path: TextFil}}",
        [],
        [
            "no data module is called 'TextFil'",
            "where: data (run.yaml:2)",
            "did you mean: TextFile",
        ],
    ),
    "role": (
        GOOD.replace("}", ", roles: {decoder: {class_path: GRUU}}}", 1),
        [],
        ["no encoder is called 'GRUU'", "model.roles.decoder (run.yaml:1)", "did you mean: GRU"],
    ),
    "role, command line": (GOOD, ["--model.roles.decoder", "GRUU"], ["model.roles.decoder (comm"]),
    "schedule": (
        GOOD,
        ["--model.schedule", "Cosin"],
        ["no schedule", "accepted: Constant, Cosine, OneCycle, Plateau", "did you mean: Cosine"],
    ),
    "optimizer": (
        GOOD,
        ["--model.optimizer.class_path", "Adamm"],
        ["no optimizer is called 'Adamm'", "AdamW", "did you mean: Adam"],
    ),
    "callback": (
        f"{GOOD}trainer:\n  callbacks:\n  - class_path: LearningRateMonitr",
        [],
        ["trainer.callbacks[0] (run.yaml:5)", "did you mean: LearningRateMonitor"],
    ),
    "ambiguous": (
        GOOD,
        ["--trainer.callbacks", "EarlyStopping"],
        ["stands for more than one callback", "pytorch_lightning.callbacks.early_stopping", "full"],
    ),
    "path, no class": (
        GOOD,
        ["--model.encoder", "seqforge.encoders.LSTMM"],
        ["the module 'seqforge.encoders' has no 'LSTMM'", "did you mean: LSTM"],
    ),
    "path, no module": (GOOD, ["--model.encoder", "torch.nnn.LSTM"], ["cannot import 'torch.nnn'"]),
    "path, wrong kind": (
        GOOD,
        ["--model.encoder", "torch.nn.LSTM"],
        ["torch.nn.LSTM is no encoder"],
    ),
    "help of a class": (GOOD, ["--model.encoder.help", "LSTMM"], ["did you mean: LSTM"]),
    # arguments of classes
    "argument, file": (
        encoder("\n    class_path: LSTM\n    init_args:\n      hiden_size: 3"),
        [],
        [
            "LSTM has no argument 'hiden_size'",
            "where: model.encoder.init_args.hiden_size (run.yaml:6)",
            LSTM_ARGUMENTS,
            "did you mean: model.encoder.init_args.hidden_size",
            "to do: seqforge fit --model.encoder.help LSTM explains them",
        ],
    ),
    "argument, command line": (
        GOOD,
        ["--model.encoder=LSTM", "--model.encoder.hiden_size=3"],
        ["(command line)", LSTM_ARGUMENTS, "did you mean: model.encoder.hidden_size"],
    ),
    "argument of another class": (
        GOOD,
        ["--model.encoder", "GRU", "--model.encoder.forget_bias", "2"],
        ["GRU has no argument 'forget_bias'", "accepted: bias, bidirectional, dropout"],
    ),
    "argument of the data": (
        f"{TASK}data: {{class_path: TextFile, init_args: {{batchsize: 3}}}}",
        [],
        ["TextFile has no argument 'batchsize'", "mean: data.init_args.batch_size"],
    ),
    "no init_args": (
        encoder("{class_path: GRU, hidden_size: 3}"),
        [],
        [
            "'hidden_size' stands beside class_path",
            "model.encoder.hidden_size (run.yaml:3)",
            "did you mean: model.encoder.init_args.hidden_size",
            "write `init_args: {hidden_size: 3}` under model.encoder",
        ],
    ),
    "init_arg": (
        encoder("{class_path: GRU, init_arg: {hidden_size: 3}}"),
        [],
        ["'init_arg' is no key", "accepted: class_path, init_args", "did you mean: init_args"],
    ),
    "init_args is no mapping": (encoder("{class_path: GRU, init_args: 3}"), [], ["not a mapping"]),
    "class_pth": (encoder("{class_pth: GRU}"), [], ["'class_pth'", "did you mean: class_path"]),
    "arguments without a class": (
        DATA,
        ["--model.task.embedding_size", "3"],
        ["no class is chosen", "accepted: Captioning, CharGeneration", "--model.task Captioning"],
    ),
    # keys
    "trainer key, file": (
        f"{GOOD}trainer:\n  max_epoch: 3",
        [],
        ["no key 'trainer.max_epoch'", "(run.yaml:4)", "did you mean: trainer.max_epochs"],
    ),
    "trainer key, command line": (
        GOOD,
        ["--trainer.max_epoch", "3"],
        ["no option '--trainer.max_epoch'", "accepted: accelerator,", "mean: --trainer.max_epochs"],
    ),
    "model key": (GOOD, ["--model.encodr=LSTM"], [UNDER_MODEL, "did you mean: --model.encoder"]),
    "top-level key": (
        GOOD.replace("model", "modle"),
        [],
        ["there is no key 'modle'", "where: modle (run.yaml:1)", "did you mean: model"],
    ),
    "right key, wrong place": (f"{GOOD}max_epochs: 3", [], ["did you mean: trainer.max_epochs"]),
    "dotted key": (f"{GOOD}trainer.max_epoch: 3", [], ["did you mean: trainer.max_epochs"]),
    "group is no mapping": (f"{GOOD}trainer: 3", [], ["trainer is 3, not a mapping"]),
    "nothing in a group": (
        f"{GOOD}trainer:\n",
        [],
        ["nothing stands under trainer", "trainer (run.yaml:3)", "take its line away"],
    ),
    "key twice": (f"{GOOD}data: x", [], ["'data' stands twice, in lines 2 and 3", "run.yaml:3"]),
    "no value": (GOOD, ["--trainer.max_epochs"], ["--trainer.max_epochs has no value", "whole"]),
    "abbreviation": (GOOD, ["--trainer.max_ep", "3"], ["no option '--trainer.max_ep'"]),
    "stray word": (GOOD, ["auto"], ["'auto' belongs to no option", "options begin with --"]),
    # types
    "number": (
        encoder("{class_path: LSTM, init_args: {hidden_size: many}}"),
        [],
        [
            "model.encoder.init_args.hidden_size cannot be 'many'",
            "(run.yaml:3)",
            "accepted: a whole number",
        ],
    ),
    "optional number": (
        f"{GOOD}trainer: {{max_epochs: ten}}",
        [],
        ["trainer.max_epochs cannot be 'ten'", "(run.yaml:3)", "accepted: a whole number, null"],
    ),
    "list": (GOOD, ["--model.ema", "[1, 2]"], ["model.ema cannot be", "accepted: a number"]),
    "truth": (
        encoder("{class_path: LSTM, init_args: {bias: 3}}"),
        [],
        ["cannot be 3", "accepted: true or false"],
    ),
    "choice": (
        GOOD,
        ["--model.encoder=LSTM", "--model.encoder.dropout_kind=loked"],
        ["cannot be 'loked'", "accepted: locked, plain", "did you mean: locked"],
    ),
    "list for a class": (encoder("[LSTM]"), [], ["cannot be ['LSTM']", "a class: encoder"]),
    # files
    "YAML": ("model: [1\nb: 2", [], ["not valid YAML", "where: run.yaml:2, column 2"]),
    "tab": ("model:\n\ttask: x", [], ["run.yaml:2, column 1", "with spaces, not with tabs"]),
    "empty": ("# nothing\n", [], ["the configuration is empty", "where: run.yaml"]),
    "a list": ("- model\n", [], ["is a list, not a mapping of keys"]),
    "a value": ("model\n", [], ["is a single value, not a mapping"]),
    "missing file": (
        GOOD,
        ["--config", "rum.yaml"],
        ["cannot read the configuration 'rum.yaml': No such file", "did you mean: run.yaml"],
    ),
    "folder": (GOOD, ["--config", "."], ["the configuration '.' is a folder", "run.yaml"]),
    # what is missing
    "no task": (
        DATA,
        [],
        [
            "no task is given",
            "where: model.task",
            "accepted: Captioning, CharGeneration",
            "write `task: {class_path: NAME}` under `model:`, or --model.task NAME",
        ],
    ),
    "no data": (TASK, [], ["no data module is given", "TextDataset, TextFile", "--data NAME"]),
}


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_mistake_is_explained(name: str, fails: Fails) -> None:
    text, argv, expected = MISTAKES[name]

    lines = fails(text, *argv)

    for part in expected:
        assert any(part in line for line in lines), (part, lines)


@pytest.mark.parametrize(
    ("name", "argv", "expected"),
    [
        ("class", ["--model.encoder", "LSTMM"], "did you mean: LSTM"),
        ("option", ["--trainer.max_epoch", "3"], "did you mean: --trainer.max_epochs"),
        ("constructor", ["--data.validation", "2"], "where: data.validation (command line)"),
    ],
)
def test_as_a_process(
    name: str, argv: list[str], expected: str, run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text(GOOD, encoding="utf-8")

    code, out, err = run_cli("fit", "--config", "run.yaml", *argv)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) <= 5, err
    assert expected in err


def test_bytes_that_are_not_utf8(capsys: pytest.CaptureFixture[str]) -> None:
    Path("latin.yaml").write_bytes(b"model:\n  task: \xe9\n")

    assert main(["fit", "--config", "latin.yaml"]) == 2

    err = capsys.readouterr().err
    assert "not UTF-8: byte 0xe9" in err
    assert "where: latin.yaml:2" in err


def test_nothing_given_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit"]) == 2
    assert "error: no task is given" in capsys.readouterr().err


def test_the_failure_of_a_broken_plugin(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("seqforge.encoders", "Broken", "broken:Broken", "broken-things", "1.0")
    failure = Failure(entry, ImportError("no luck"), "ImportError: no luck", "broken.py:3", "")
    loaded = registry.load()
    monkeypatch.setattr(
        registry, "_current", registry.Registry(loaded.registered, {entry: failure}, loaded.modules)
    )

    lines = fails(GOOD, "--model.encoder", "Broken")

    assert lines[-1] == (
        "  to do: mend the plugin broken-things 1.0, which failed to load: "
        "ImportError: no luck (broken.py:3)"
    )


def test_callbacks_of_the_other_lightning(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("lightning.pytorch.callbacks")
    vars(other)["Timer"] = type("Timer", (), {"__module__": other.__name__})
    for name in ("lightning", "lightning.pytorch"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, other.__name__, other)

    lines = fails(GOOD, "--trainer.callbacks", "lightning.pytorch.callbacks.Timer")

    assert "belongs to the package `lightning`; seqforge uses `pytorch_lightning`" in lines[0]
    assert lines[-1] == "  to do: write pytorch_lightning.callbacks.Timer"


@pytest.mark.skipif("lightning" in sys.modules, reason="the package lightning is here")
def test_the_other_lightning_is_not_installed(fails: Fails) -> None:
    lines = fails(GOOD, "--trainer.callbacks+", "lightning.pytorch.callbacks.Timer")

    assert lines[-1] == "  to do: write pytorch_lightning.callbacks.Timer"


def test_long_messages_are_cut() -> None:
    message = (
        'Parser key "x":\n  Does not validate against any of the Union subtypes\n'
        "  Subtypes: [<class 'int'>]\n  Errors:\n    - Expected a <class 'int'>\n"
        "  Given value type: <class 'str'>\n  Given value: ten"
    )

    assert essentials(message) == "Parser key \"x\": Expected a <class 'int'> Given value: ten"
