"""The JSON Schema accepts the configurations that the parser accepts, and no misspelt ones."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge.cli import schema
from seqforge.cli.main import main
from seqforge.errors import UserError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("schema") / "schema.json"
    assert main(["schema", "--output", str(file)]) == 0
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def validator(document: dict[str, Any]) -> Any:
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "model": {
            "encoder": {"class_path": "LSTM", "init_args": {"hidden_size": 8}},
            "task": {"class_path": "CharGeneration"},
        },
        "data": {"class_path": "TextFile"},
        "trainer": {"max_epochs": 3},
    }


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_our_configurations_are_valid(file: Path, validator: Any) -> None:
    found = list(validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8"))))

    assert found == []


def test_what_the_parser_prints_is_valid(
    validator: Any, tmp_path: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["fit", "--config", str(file), "--print_config"]) == 0

    assert list(validator.iter_errors(yaml.safe_load(capsys.readouterr().out))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.encoder", "GRU"),
        ("model.encoder", "seqforge.encoders.GRU"),
        ("model.encoder", "my_package.MyEncoder"),
        ("model.encoder", {"class_path": "my_package.MyEncoder", "init_args": {"any": 3}}),
        ("model.encoder", {"class_path": "seqforge.encoders.lstm.LSTM"}),
        ("model.task", "CharGeneration"),
        ("model.roles", {"decoder": "GRU"}),
        ("model.optimizer", {"class_path": "Adam", "init_args": {"lr": 0.1}}),
        ("model.schedule", {"class_path": "Cosine", "init_args": None}),
        ("trainer.callbacks", [{"class_path": "LearningRateMonitor"}]),
        ("trainer.devices", "auto"),
        ("trainer.precision", "bf16-mixed"),
        ("checkpoint", {"every_minutes": 1.5}),
        ("seed_everything", 7),
    ],
)
def test_valid(key: str, value: object, validator: Any, config: dict[str, Any]) -> None:
    assert list(validator.iter_errors(_with(config, key, value))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modle", {}),
        ("model.encodr", "LSTM"),
        ("model.encoder", "LSTMM"),
        ("model.encoder", {"class_path": "LSTMM"}),
        ("model.encoder", {"class_path": "LSTM", "hidden_size": 3}),
        ("model.encoder", {"class_path": "LSTM", "init_arg": {}}),
        ("model.encoder", {"class_path": "LSTM", "init_args": {"hiden_size": 3}}),
        ("model.encoder", {"class_path": "LSTM", "init_args": {"hidden_size": "many"}}),
        ("model.encoder", {"class_path": "LSTM", "init_args": {"input_size": 3}}),
        ("model.encoder", {"class_path": "GRU", "init_args": {"forget_bias": 1.0}}),
        ("model.encoder", {"class_path": "seqforge.encoders.LSTM", "init_args": {"hiden": 3}}),
        ("model.roles", {"decoder": "GRUU"}),
        ("model.optimizer", {"class_path": "Adam", "init_args": {"learning_rate": 0.1}}),
        ("data", {"class_path": "TextFil"}),
        ("trainer.max_epoch", 3),
        ("trainer.max_epochs", "ten"),
        ("samples", {"every": 3}),
    ],
)
def test_invalid(key: str, value: object, validator: Any, config: dict[str, Any]) -> None:
    assert not validator.is_valid(_with(config, key, value))


def test_it_describes(document: dict[str, Any]) -> None:
    encoder = document["properties"]["model"]["properties"]["encoder"]
    assert encoder["default"] == {"class_path": "seqforge.encoders.LSTM"}
    assert "recurrent network" in encoder["description"]

    (arguments,) = (
        each for name, each in document["$defs"].items() if name.startswith("seqforge.encoders.ls")
    )
    hidden_size = arguments["properties"]["hidden_size"]
    assert hidden_size["type"] == "integer"
    assert hidden_size["default"] == 512
    assert "number of units" in hidden_size["description"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in _references(document):
        assert reference.removeprefix("#/$defs/") in document["$defs"]
        assert " " not in reference


def test_it_is_printed(capsys: pytest.CaptureFixture[str], document: dict[str, Any]) -> None:
    assert main(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(document)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: seqforge schema [--output FILE]")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--outptu", "x"], "takes no '--outptu'"),
        (["--output"], "--output takes one file"),
        (["--output", "x", "y"], "--output takes one file"),
    ],
)
def test_unknown_arguments(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        schema.run(argv)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write") as caught:
        schema.run([f"--output={tmp_path / 'absent' / 'schema.json'}"])

    assert caught.value.where == "--output"


def _with(config: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    *groups, last = key.split(".")
    node = changed
    for group in groups:
        node = node[group]
    node[last] = value
    return changed


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for child in node.values() for each in _references(child)]
    if isinstance(node, list):
        return [each for child in node for each in _references(child)]
    return []
