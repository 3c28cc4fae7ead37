"""Image encoders and tasks as parts of a task, in its checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch

import seqforge
from seqforge import Task, checkpoint, registry
from seqforge.encoders import GRU, EncoderFactory
from seqforge.errors import UserError
from seqforge.task import Spec
from seqforge.vision import ImageEncoder, SmallCNN


class Watching(Task):
    def __init__(self, eyes: ImageEncoder) -> None:
        super().__init__()
        self.eyes = eyes

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        pass


class Surrounding(Task):
    def __init__(self, inner: Task) -> None:
        super().__init__()
        self.inner = inner

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        pass


def _write(folder: Path, value: object) -> Path:
    torch.save(value, folder / "parts.ckpt")
    return folder / "parts.ckpt"


def _saved(encoder: ImageEncoder) -> dict[str, Any]:
    """Return the checkpoint of a task that holds an image encoder, and has no weights."""
    described = checkpoint.describe(Watching(encoder), EncoderFactory(GRU), {})
    return {"seqforge": described, "state_dict": {}}


def test_an_image_encoder_in_a_task_is_rebuilt(tmp_path: Path) -> None:
    saved = _saved(SmallCNN(channels=(4, 6), convolutions=2))
    with registry.temporarily(("seqforge.tasks", Watching)):
        task = seqforge.load(_write(tmp_path, saved))

    assert isinstance(task, Watching)
    assert isinstance(task.eyes, SmallCNN)
    assert (task.eyes.channels, task.eyes.convolutions) == ((4, 6), 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_path": "os.system"}, "image encoder 'os.system'"),
        ({"class_path": "seqforge.encoders.GRU"}, "image encoder 'seqforge.encoders.GRU'"),
        ({"class_path": "a.B", "package": "nowhere-vision"}, "pip install nowhere-vision"),
        ({"group": "seqforge.tasks"}, "the task 'seqforge.vision.SmallCNN'"),
        ({"group": "seqforge.data"}, "no kind of part is called 'seqforge.data'"),
        ({"group": "os"}, "no kind of part is called 'os'"),
        ({"group": ["os"]}, "is damaged"),
        ({"init_args": {"chanels": [3]}}, "does not fit Watching"),
        ({"init_args": 5}, "is damaged"),
    ],
)
def test_an_image_encoder_in_a_file_is_vetted(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    saved = _saved(SmallCNN())
    saved["seqforge"]["task"]["init_args"]["eyes"] |= change
    with (
        registry.temporarily(("seqforge.tasks", Watching)),
        pytest.raises(UserError) as caught,
    ):
        seqforge.load(_write(tmp_path, saved))

    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


def test_a_nested_task_without_a_group_is_a_task(tmp_path: Path) -> None:
    described = checkpoint.describe(Surrounding(Watching(SmallCNN())), EncoderFactory(GRU), {})
    assert described["task"]["init_args"]["inner"].pop("group") == "seqforge.tasks"
    file = _write(tmp_path, {"seqforge": described, "state_dict": {}})
    with registry.temporarily(("seqforge.tasks", Watching), ("seqforge.tasks", Surrounding)):
        task = seqforge.load(file)

    assert isinstance(task, Surrounding)
    assert isinstance(task.inner, Watching)
