"""Image encoders are chosen like every other class: in YAML, on the command line, in the schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge import registry
from seqforge.cli.main import main
from seqforge.cli.schema_types import TypeSchemas
from seqforge.task import Task
from seqforge.vision import ImageEncoder
from tests.cli.conftest import Fails

KEY = "model.task.image_encoder"


class Seeing(Task):
    """Looks at pictures.

    Args:
        image_encoder: What it looks with.
    """

    def __init__(self, image_encoder: ImageEncoder) -> None:
        super().__init__()
        self.image_encoder = image_encoder


@pytest.fixture(autouse=True)
def _seeing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with registry.temporarily(("seqforge.tasks", Seeing)):
        yield


def _config(encoder: Any) -> str:
    task = {"class_path": "Seeing", "init_args": {"image_encoder": encoder}}
    return yaml.safe_dump({"model": {"task": task}, "data": "TextFile"})


def _resolved(capsys: pytest.CaptureFixture[str], encoder: Any, *argv: str) -> dict[str, Any]:
    Path("run.yaml").write_text(_config(encoder), encoding="utf-8")
    assert main(["fit", "--config", "run.yaml", *argv, "--print_config"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    found: dict[str, Any] = printed["model"]["task"]["init_args"]["image_encoder"]
    return found


def test_a_short_name_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    found = _resolved(capsys, {"class_path": "SmallCNN", "init_args": {"channels": [8, 16]}})

    assert found["class_path"] == "seqforge.vision.SmallCNN"
    assert found["init_args"]["channels"] == [8, 16]


def test_a_short_name_and_an_argument_as_options(capsys: pytest.CaptureFixture[str]) -> None:
    found = _resolved(capsys, "SmallCNN", f"--{KEY}", "EfficientNetLite", f"--{KEY}.variant", "2")

    assert found == {"class_path": "seqforge.vision.EfficientNetLite", "init_args": {"variant": 2}}


def test_a_misspelt_name(fails: Fails) -> None:
    lines = fails(_config("EficientNetLite"))

    assert "no image encoder is called 'EficientNetLite'" in lines[0]
    assert any("did you mean: EfficientNetLite" in line for line in lines)
    assert any("SmallCNN" in line for line in lines if "accepted" in line)


def test_a_misspelt_argument(fails: Fails) -> None:
    lines = fails(_config({"class_path": "EfficientNetLite", "init_args": {"varant": 1}}))

    assert "varant" in lines[0]
    assert any(line.endswith("image_encoder.init_args.variant") for line in lines)


def test_a_variant_that_there_is_not(fails: Fails) -> None:
    lines = fails(_config({"class_path": "EfficientNetLite", "init_args": {"variant": 7}}))

    assert "7" in lines[0]
    assert any("accepted: 0, 1, 2, 3, 4" in line for line in lines)


def test_a_class_of_another_kind(fails: Fails) -> None:
    lines = fails(_config("seqforge.encoders.GRU"))

    assert "seqforge.encoders.GRU is no image encoder" in lines[0]


def test_the_schema_knows_them() -> None:
    types = TypeSchemas()
    document = {**types.of(ImageEncoder), "$defs": types.definitions}
    valid = jsonschema.Draft202012Validator(document).is_valid

    assert valid("SmallCNN")
    assert valid({"class_path": "EfficientNetLite", "init_args": {"variant": 1}})
    assert not valid("SmalCNN")
    assert not valid({"class_path": "EfficientNetLite", "init_args": {"varant": 1}})
    assert not valid({"class_path": "EfficientNetLite", "init_args": {"variant": 7}})


def test_what_a_constructor_refuses(fails: Fails) -> None:
    lines = fails(_config({"class_path": "SmallCNN", "init_args": {"channels": []}}))

    assert lines[0] == "error: a network cannot have 1 convolutions of [] channels"
