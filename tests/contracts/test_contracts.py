"""Five small tasks, written with public names only, keep every promise of the core."""

import ast
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

import seqforge
from seqforge.encoders import GRU
from seqforge.state import Fixed
from seqforge.task import Task
from tests.contracts import attention_translation, support
from tests.contracts.segment_forecaster import SegmentForecaster
from tests.contracts.stateful_characters import Characters, StatefulCharacters, random_text
from tests.contracts.unfrozen_captioner import UnfrozenCaptioner

HERE = Path(__file__).parent
each_contract = pytest.mark.parametrize("name", support.CONTRACTS)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Killed(Exception):
    """Stands for a process that dies."""


class Kill(pl.Callback):
    """Ends a run before a step, as a crash would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise Killed


class Trace(pl.Callback):
    """Keeps the loss of every optimiser step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any) -> None:
        self.losses.append(pl_module.step_loss["loss"])


def _answers(task: Task, name: str, folder: Path) -> str:
    return repr(list(task.infer(support.CONTRACTS[name].ask(folder), task.options())))


# -- the tasks themselves -----------------------------------------------------------------------


@each_contract
def test_fits_on_a_page_and_uses_public_names_only(name: str) -> None:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    names = [each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)]
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]

    assert len(source.splitlines()) <= 80
    assert [each for each in names if each.startswith("_") and not each.endswith("__")] == []
    for each in imports:
        parts = [*str(each.module).split("."), *(alias.name for alias in each.names)]
        assert not [part for part in parts if part.startswith("_")]
        assert parts[0] != "seqforge_tasks"


@each_contract
def test_learns_is_saved_and_answers_the_same(name: str, tmp_path: Path) -> None:
    trace = Trace()
    trainer = support.trainer(tmp_path, max_epochs=8, callbacks=[trace])
    module = support.rich_module(name, tmp_path)
    trainer.fit(module, datamodule=support.CONTRACTS[name].data())
    path = tmp_path / "task.ckpt"
    trainer.save_checkpoint(path)
    with module.average.applied(module.task):
        before = _answers(module.task.eval(), name, tmp_path)

    quarter = len(trace.losses) // 8
    start, end = trace.losses[:quarter], trace.losses[-quarter:]
    assert sum(end) < 0.85 * sum(start)

    (tmp_path / "pretrained.pt").unlink(missing_ok=True)
    loaded = seqforge.load(path)
    assert type(loaded) is type(module.task)
    assert loaded is not module.task
    assert not any(each.training for each in loaded.modules() if each not in metrics(loaded))
    assert _answers(loaded, name, tmp_path) == before


def metrics(task: Task) -> set[torch.nn.Module]:
    """Return torchmetrics' modules, which know no mode."""
    return {each for each in task.modules() if type(each).__module__.startswith("torchmetrics")}


def test_a_new_process_answers_the_same(tmp_path: Path) -> None:
    trainer = support.trainer(tmp_path, max_epochs=1)
    module = support.rich_module("joint_task", tmp_path)
    trainer.fit(module, datamodule=support.CONTRACTS["joint_task"].data())
    trainer.save_checkpoint(tmp_path / "task.ckpt")
    code = (
        "import sys, seqforge; task = seqforge.load(sys.argv[1]); "
        "print(repr(list(task.infer(['ab'], task.options()))))"
    )
    plugins = "tests.contracts.joint_task,tests.contracts.stateful_characters"
    finished = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "task.ckpt")],
        cwd=HERE.parents[1],
        env={**os.environ, "SEQFORGE_PLUGINS": plugins, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    loaded = seqforge.load(tmp_path / "task.ckpt")
    assert finished.stdout.strip() == repr(list(loaded.infer(["ab"], loaded.options())))


@each_contract
def test_checkpoint_holds_plain_values(name: str, tmp_path: Path) -> None:
    trainer = support.resumable(tmp_path)
    trainer.fit(support.rich_module(name, tmp_path), datamodule=support.CONTRACTS[name].data())

    for file in (tmp_path / "checkpoints").glob("*.ckpt"):
        checkpoint = torch.load(file, weights_only=True)
        _assert_plain(checkpoint["seqforge"])
        assert checkpoint["seqforge"]["task"]["class_path"].endswith(
            type(support.CONTRACTS[name].task(tmp_path)).__name__
        )


def _assert_plain(value: object) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            assert type(key) is str
            _assert_plain(child)
    elif isinstance(value, list):
        for child in value:
            _assert_plain(child)
    else:
        assert type(value) in (str, int, float, bool, type(None))


# -- the same on one process and on two ---------------------------------------------------------


@pytest.fixture(scope="module")
def on_two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train every contract on two processes, in one launch, because starting is what takes time."""
    folder = tmp_path_factory.mktemp("two")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    finished = subprocess.run(
        [*launch, str(HERE / "run_ddp.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    return folder


@pytest.mark.distributed
@pytest.mark.timeout(120)
@each_contract
def test_two_processes_train_the_same_weights(
    name: str, on_two_processes: Path, tmp_path: Path
) -> None:
    first, second = (torch.load(on_two_processes / f"{name}-{rank}.pt") for rank in (0, 1))
    alone = support.train_exactly(name, tmp_path)

    assert alone["weights"].keys() == first["weights"].keys()
    for key, value in alone["weights"].items():
        torch.testing.assert_close(first["weights"][key], value, rtol=0, atol=1e-10)
        assert torch.equal(first["weights"][key], second["weights"][key])
    assert first["metrics"] == second["metrics"]
    assert first["metrics"] == pytest.approx(alone["metrics"], rel=1e-6)
    assert any(key.startswith("val/") for key in first["metrics"])


# -- resumed in the middle of an epoch ----------------------------------------------------------


@each_contract
def test_a_killed_run_ends_with_the_same_weights(name: str, tmp_path: Path) -> None:
    contract = support.CONTRACTS[name]
    whole = support.rich_module(name, tmp_path)
    data = contract.data()
    uninterrupted = support.resumable(tmp_path / "whole")
    uninterrupted.fit(whole, datamodule=data)
    steps = int(uninterrupted.num_training_batches)
    assert steps >= 5
    killed_at = steps + 4  # inside the second epoch, two steps after a checkpoint was written

    with pytest.raises(Killed):
        support.resumable(tmp_path / "cut", Kill(killed_at)).fit(
            support.rich_module(name, tmp_path), datamodule=contract.data()
        )
    last = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    position = torch.load(last, weights_only=True)["global_step"]
    assert steps < position < killed_at + 1
    pl.seed_everything(99, verbose=False)  # whatever chance was in the new process
    resumed = support.rich_module(name, tmp_path)
    pl.seed_everything(98, verbose=False)
    support.resumable(tmp_path / "cut").fit(
        resumed, datamodule=contract.data(), ckpt_path=last, weights_only=True
    )

    expected = support.weights(whole)
    for key, value in support.weights(resumed).items():
        assert torch.equal(value, expected[key]), key
    averages = (module.average.state_dict() for module in (whole, resumed))
    assert _equal(*averages)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)


# -- what is particular to one of them ----------------------------------------------------------


@pytest.fixture
def translation(tmp_path: Path) -> attention_translation.AttentionTranslation:
    module = support.exact_module("attention_translation", tmp_path)
    trainer = support.trainer(tmp_path, max_epochs=20)
    trainer.fit(module, datamodule=attention_translation.Digits(4))
    assert isinstance(module.task, attention_translation.AttentionTranslation)
    return module.task.eval()


def test_no_attention_falls_on_padding(
    translation: attention_translation.AttentionTranslation,
) -> None:
    sources = attention_translation.pairs([0, 1, 2], ["12345678", "12", "1"]).sources
    out = translation.step(torch.tensor([3, 1, 2]), translation.read(sources))

    padding = sources == attention_translation.PAD
    assert padding.any()
    assert (out.trace[padding] == 0).all()
    torch.testing.assert_close(out.trace.sum(dim=1), torch.ones(3))
    assert isinstance(out.state[2], Fixed)


def test_a_translation_does_not_depend_on_its_neighbours(
    translation: attention_translation.AttentionTranslation,
) -> None:
    lines = ["12", "9876543", "5", "33333", "120"]
    alone = [next(iter(translation.infer([line], None))).body for line in lines]
    together = [text.body for text in translation.infer(lines, None)]
    backwards = [text.body for text in translation.infer(lines[::-1], None)]

    assert together == alone
    assert backwards == alone[::-1]


def test_the_first_forecast_sees_the_last_observation(tmp_path: Path) -> None:
    module = support.exact_module("segment_forecaster", tmp_path)
    support.trainer(tmp_path, max_epochs=1).fit(
        module, datamodule=support.CONTRACTS["segment_forecaster"].data()
    )
    assert isinstance(module.task, SegmentForecaster)
    past = torch.randn(3, 16, requires_grad=True)
    module.task(past)[:, 0].sum().backward()

    assert past.grad is not None
    assert (past.grad[:, -1].abs() > 1e-6).all()


def test_statistics_of_the_training_data_are_kept(tmp_path: Path) -> None:
    module = support.exact_module("segment_forecaster", tmp_path)
    trainer = support.trainer(tmp_path, max_epochs=1)
    trainer.fit(module, datamodule=support.CONTRACTS["segment_forecaster"].data())
    trainer.save_checkpoint(tmp_path / "task.ckpt")
    loaded = seqforge.load(tmp_path / "task.ckpt")

    assert isinstance(module.task, SegmentForecaster)
    assert isinstance(loaded, SegmentForecaster)
    assert 19 < module.task.scale[0].item() < 21
    assert torch.equal(loaded.scale, module.task.scale)


def test_independent_random_characters_cannot_be_predicted(tmp_path: Path) -> None:
    pl.seed_everything(0, verbose=False)
    module = seqforge.SequenceModule(StatefulCharacters(), partial(GRU, hidden_size=32))
    trainer = support.trainer(tmp_path, max_epochs=4)
    trainer.fit(module, datamodule=Characters(random_text(4000), batch_size=8))

    # Four equally likely characters: a model that saw its own target would come near zero.
    assert trainer.callback_metrics["val/loss"].item() > 0.95 * math.log(4)


def test_frozen_image_network_rests_and_is_then_set_free(tmp_path: Path) -> None:
    seen: list[dict[str, torch.Tensor]] = []

    class Watch(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
            seen.append(support.weights(pl_module.task.image))

    module = support.rich_module("unfrozen_captioner", tmp_path)
    trainer = support.trainer(tmp_path, max_epochs=2, callbacks=[Watch()])
    trainer.fit(module, datamodule=support.CONTRACTS["unfrozen_captioner"].data())
    assert isinstance(module.task, UnfrozenCaptioner)
    given = torch.load(support.pretrained(tmp_path), weights_only=True)
    last = support.weights(module.task.image)

    for frozen in seen:
        assert all(torch.equal(frozen[key], given[key]) for key in given)
    assert not torch.equal(last["0.weight"], given["0.weight"])
    assert torch.equal(last["1.running_mean"], given["1.running_mean"])


def test_initialise_is_not_called_on_load_or_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    original = UnfrozenCaptioner.initialise

    def counted(self: UnfrozenCaptioner) -> None:
        calls.append(1)
        original(self)

    monkeypatch.setattr(UnfrozenCaptioner, "initialise", counted)
    contract = support.CONTRACTS["unfrozen_captioner"]
    support.resumable(tmp_path).fit(
        support.rich_module("unfrozen_captioner", tmp_path), datamodule=contract.data()
    )
    assert calls == [1]
    (tmp_path / "pretrained.pt").unlink()
    last = tmp_path / "checkpoints" / "last.ckpt"
    seqforge.load(last)
    module = support.rich_module("unfrozen_captioner", tmp_path)
    (tmp_path / "pretrained.pt").unlink()
    resumed = support.resumable(tmp_path)
    resumed.fit(module, datamodule=contract.data(), ckpt_path=last, weights_only=True)

    assert calls == [1]


def test_joint_tasks_share_one_encoder_and_its_average(tmp_path: Path) -> None:
    module = support.rich_module("joint_task", tmp_path)
    trainer = support.trainer(tmp_path, max_epochs=1)
    trainer.fit(module, datamodule=support.CONTRACTS["joint_task"].data())
    trainer.save_checkpoint(tmp_path / "task.ckpt")
    loaded: Any = seqforge.load(tmp_path / "task.ckpt")
    task: Any = module.task

    assert task.text.encoder is task.label.encoder
    assert loaded.text.encoder is loaded.label.encoder
    with module.average.applied(task):
        averaged = support.weights(task)
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, averaged[key]), key
