import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

import seqforge
from seqforge import SequenceModule, Task, checkpoint
from seqforge.encoders import GRU, EncoderFactory
from seqforge.errors import UserError
from tests.training.toy import Toy, ToyData, toy_trainer


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Toy]:
    folder = tmp_path_factory.mktemp("trained")
    pl.seed_everything(0, verbose=False)
    module = SequenceModule(Toy(factors={"head": 0.5}), partial(GRU, hidden_size=5))
    trainer = toy_trainer(folder, max_epochs=1)
    trainer.fit(module, datamodule=ToyData())
    trainer.save_checkpoint(folder / "toy.ckpt")
    assert isinstance(module.task, Toy)
    return folder / "toy.ckpt", module.task.eval()


@pytest.fixture
def saved(trained: tuple[Path, Toy]) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(trained[0], weights_only=True)
    return loaded


def _write(folder: Path, value: object) -> Path:
    torch.save(value, folder / "changed.ckpt")
    return folder / "changed.ckpt"


def test_a_task_is_rebuilt_from_its_file_alone(trained: tuple[Path, Toy]) -> None:
    path, task = trained
    loaded = seqforge.load(path)
    lines = ["1 2 3", "0.5"]

    assert isinstance(loaded, Toy)
    assert not loaded.training
    assert loaded.factors == {"head": 0.5}
    assert list(loaded.infer(lines, None)) == list(task.infer(lines, None))
    for name, value in task.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_run_folder_means_its_best_or_else_its_last_checkpoint(
    trained: tuple[Path, Toy], tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    with pytest.raises(UserError, match=r"no best\.ckpt or last\.ckpt"):
        checkpoint.find(tmp_path)
    (folder / "last.ckpt").write_bytes(trained[0].read_bytes())
    assert checkpoint.find(tmp_path) == folder / "last.ckpt"
    (folder / "best.ckpt").write_bytes(trained[0].read_bytes())

    assert checkpoint.find(tmp_path) == folder / "best.ckpt"
    assert checkpoint.find(folder) == folder / "best.ckpt"
    assert isinstance(seqforge.load(tmp_path), Toy)


def test_a_missing_file_names_the_closest(trained: tuple[Path, Toy]) -> None:
    path, _ = trained
    with pytest.raises(UserError, match="there is no checkpoint") as caught:
        seqforge.load(path.with_name("tou.ckpt"))

    assert caught.value.closest == str(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_was_cut_is_refused(
    share: float, trained: tuple[Path, Toy], tmp_path: Path
) -> None:
    content = trained[0].read_bytes()
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(content[: int(share * len(content))])

    with pytest.raises(UserError, match="cut short"):
        seqforge.load(cut)


def test_a_damaged_file_is_refused(trained: tuple[Path, Toy], tmp_path: Path) -> None:
    content = bytearray(trained[0].read_bytes())
    content[60:200] = bytes(140)
    (tmp_path / "damaged.ckpt").write_bytes(content)

    with pytest.raises(UserError, match=r"damaged|holds more than"):
        seqforge.load(tmp_path / "damaged.ckpt")


@pytest.mark.parametrize("content", [{"state_dict": {}}, [1, 2], torch.ones(3)])
def test_a_foreign_file_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no seqforge checkpoint"):
        seqforge.load(_write(tmp_path, content))


class Hostile:
    """Runs code when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.proof,)


@pytest.mark.parametrize("place", ["seqforge", "callbacks", "hyper_parameters"])
def test_code_in_a_file_is_not_run(place: str, saved: dict[str, Any], tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    path = _write(tmp_path, {**saved, place: Hostile(proof)})
    with pytest.raises(UserError, match="holds more than tensors and plain values"):
        seqforge.load(path)
    assert not proof.exists()

    pickle.loads(pickle.dumps(Hostile(proof)))  # the proof that the proof works
    assert proof.exists()


@pytest.mark.parametrize(
    ("part", "todo"),
    [("task", "pip install seqforge-nowhere"), ("encoder", "pip install seqforge-nowhere")],
)
def test_an_unknown_class_names_the_package_to_install(
    part: str, todo: str, saved: dict[str, Any], tmp_path: Path
) -> None:
    saved["seqforge"][part] |= {"class_path": "nowhere.Thing", "package": "seqforge-nowhere"}
    with pytest.raises(UserError, match=r"nowhere\.Thing") as caught:
        seqforge.load(_write(tmp_path, saved))

    assert caught.value.todo == todo


@pytest.mark.parametrize("class_path", ["os.system", "builtins.eval", "torch.nn.Linear"])
def test_only_registered_classes_are_made(
    class_path: str, saved: dict[str, Any], tmp_path: Path
) -> None:
    saved["seqforge"]["task"] |= {"class_path": class_path, "init_args": {"command": "x"}}
    with pytest.raises(UserError, match=class_path):
        seqforge.load(_write(tmp_path, saved))


def test_a_newer_format_is_refused(saved: dict[str, Any], tmp_path: Path) -> None:
    saved["seqforge"] |= {"format": checkpoint.FORMAT + 1, "version": "99.0"}
    with pytest.raises(UserError, match="format 2") as caught:
        seqforge.load(_write(tmp_path, saved))

    assert "install seqforge 99.0" in caught.value.todo


@pytest.mark.parametrize("missing", ["task", "encoder", "roles"])
def test_an_incomplete_description_is_refused(
    missing: str, saved: dict[str, Any], tmp_path: Path
) -> None:
    del saved["seqforge"][missing]
    with pytest.raises(UserError, match=f"lacks '{missing}'"):
        seqforge.load(_write(tmp_path, saved))


def test_weights_that_do_not_fit_are_refused(saved: dict[str, Any], tmp_path: Path) -> None:
    saved["state_dict"]["task.head.weight"] = torch.ones(7, 7)
    with pytest.raises(UserError, match="does not fit Toy: RuntimeError: size mismatch"):
        seqforge.load(_write(tmp_path, saved))


def test_other_data_is_refused_on_resume(trained: tuple[Path, Toy], tmp_path: Path) -> None:
    module = SequenceModule(Toy(factors={"head": 0.5}), partial(GRU, hidden_size=5))
    with pytest.raises(UserError, match="the data's outputs is not the one"):
        toy_trainer(tmp_path).fit(
            module, datamodule=ToyData(outputs=2), ckpt_path=trained[0], weights_only=True
        )


class Forgetful(Task):
    def __init__(self, size: int) -> None:
        super().__init__()


class Holding(Task):
    def __init__(self, part: object) -> None:
        super().__init__()
        self.part = part


class Outer(Task):
    def __init__(self, inner: Task, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.inner = inner
        self.sizes = sizes


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Forgetful(3), "must keep its constructor's argument 'size'"),
        (Holding(torch.ones(1)), "'part' is a Tensor"),
        (Holding({"a": {1}}), r"'part\.a' is a set"),
    ],
)
def test_what_cannot_be_stored_is_named(task: Task, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        checkpoint.describe(task, EncoderFactory(GRU), {})


def test_a_task_may_hold_tasks_and_plain_nests() -> None:
    described = checkpoint.describe(
        Outer(Holding(Path("a/b")), (1, 2)), EncoderFactory(GRU, {"decoder": GRU}), {"words": 3}
    )
    inner = described["task"]["init_args"]["inner"]

    assert inner["class_path"].endswith("Holding")
    assert inner["init_args"] == {"part": "a/b"}
    assert described["task"]["init_args"]["sizes"] == [1, 2]
    assert set(described["roles"]) == {"decoder"}
    assert described["spec"] == {"words": 3}


def test_a_task_without_constructor_can_be_stored() -> None:
    class Plain(Task):
        pass

    assert checkpoint.describe(Plain(), EncoderFactory(GRU), {})["task"]["init_args"] == {}


def test_float64_weights_stay_float64(saved: dict[str, Any], tmp_path: Path) -> None:
    saved["state_dict"] = {name: value.double() for name, value in saved["state_dict"].items()}
    saved["average"] = {}
    loaded = seqforge.load(_write(tmp_path, saved))
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float64}


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(saved: dict[str, Any]) -> None:
        part = saved
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = to

    return change


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(saved: dict[str, Any]) -> None:
        part = saved
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]

    return change


MALFORMED = {
    "description is a number": _set("seqforge", to=5),
    "description is a list": _set("seqforge", to=[]),
    "description without spec": _without("seqforge", "spec"),
    "spec is a number": _set("seqforge", "spec", to=5),
    "spec lacks its keys": _set("seqforge", "spec", to={}),
    "spec of wrong types": _set("seqforge", "spec", to={"inputs": "x", "outputs": None}),
    "task is a number": _set("seqforge", "task", to=5),
    "task's arguments are a number": _set("seqforge", "task", "init_args", to=5),
    "roles are a list": _set("seqforge", "roles", to=[1]),
    "a role is a number": _set("seqforge", "roles", to={"decoder": 5}),
    "no state_dict": _without("state_dict"),
    "state_dict is a number": _set("state_dict", to=5),
    "a weight is a text": _set("state_dict", "task.head.weight", to="x"),
    "average is a number": _set("average", to=5),
    "averaged weights are a list": _set("average", to={"weights": [1]}),
    "metrics hold a text": _set("metrics", to={"val/loss": "x"}),
    "an unknown argument of the task": _set("seqforge", "task", "init_args", "sise", to=1),
    "an unknown argument": _set("seqforge", "encoder", "init_args", "sise", to=1),
    "a size is a text": _set("seqforge", "encoder", "init_args", "hidden_size", to="x"),
    "a size is huge": _set("seqforge", "encoder", "init_args", "hidden_size", to=10**15),
    "no global_step": _without("global_step"),
    "global_step is a text": _set("global_step", to="x"),
    "no loops": _without("loops"),
    "loops are a list": _set("loops", to=[]),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_a_users_mistake(
    change: Callable[[dict[str, Any]], None], saved: dict[str, Any], tmp_path: Path
) -> None:
    change(saved)
    file = _write(tmp_path, saved)
    with pytest.raises(UserError) as caught:
        seqforge.load(file)

    message = str(caught.value)
    assert len(message.splitlines()) <= 5
    assert str(file) in message + caught.value.given
    assert caught.value.todo


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_zeroed_bytes_are_noticed(share: float, trained: tuple[Path, Toy], tmp_path: Path) -> None:
    content = bytearray(trained[0].read_bytes())
    start = int(share * len(content))
    content[start : start + 200] = bytes(200)
    (tmp_path / "damaged.ckpt").write_bytes(content)

    with pytest.raises(UserError, match=r"damaged|cut short"):
        seqforge.load(tmp_path / "damaged.ckpt")


def test_a_folder_of_runs_names_the_newest_one(trained: tuple[Path, Toy], tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old")):
        file = tmp_path / name / "checkpoints" / "last.ckpt"
        file.parent.mkdir(parents=True)
        file.write_bytes(trained[0].read_bytes())
        os.utime(file, (10**9 - age, 10**9 - age))

    with pytest.raises(UserError, match="no best") as caught:
        checkpoint.find(tmp_path)

    assert caught.value.closest == str(tmp_path / "new")
    assert "is the newest" in caught.value.todo
