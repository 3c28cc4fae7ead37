from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

import seqforge
from seqforge import SequenceModule
from seqforge.data import SequentialPlan
from seqforge.encoders import GRU
from seqforge.errors import UserError
from seqforge.training import Constant, NonFiniteLoss
from tests.training.toy import Toy, ToyData, collate, toy_trainer


def _module(task: Toy | None = None, optimizer: Any = None, **options: Any) -> SequenceModule:
    pl.seed_everything(0, verbose=False)
    return SequenceModule(
        task or Toy(),
        partial(GRU, hidden_size=6),
        optimizer=optimizer or partial(torch.optim.SGD, lr=0.1),
        schedule=Constant,
        **options,
    )


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _assert_close(one: dict[str, Tensor], other: dict[str, Tensor], atol: float) -> None:
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=0, atol=atol)


class InOrder(ToyData):
    """The same rows in the same order at any batch size."""

    def train_dataloader(self) -> Any:
        plan = SequentialPlan(len(self.rows), self.batch_size)
        return self.train_loader(self.rows, plan, collate)


@pytest.mark.parametrize("rows", [24, 22])
def test_accumulated_batches_are_one_large_batch(rows: int, tmp_path: Path) -> None:
    final, norms = [], []
    for batch_size, accumulated in [(8, 1), (4, 2), (2, 4)]:
        module = _module()
        trainer = toy_trainer(
            tmp_path,
            precision="64-true",
            gradient_clip_val=0.05,
            accumulate_grad_batches=accumulated,
        )
        trainer.fit(module, datamodule=InOrder(batch_size, rows))
        final.append(_weights(module))
        norms.append(trainer.callback_metrics["train/gradient_norm"].item())
        assert trainer.global_step == 2 * 3

    assert norms[0] > 0.05, "clipping was not active"
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-6)
    _assert_close(final[1], final[0], 1e-10)
    _assert_close(final[2], final[0], 1e-10)


def test_the_gradient_is_that_of_the_mean_over_all_items(tmp_path: Path) -> None:
    module = _module()
    data = InOrder(24)
    seen: dict[str, Tensor] = {}

    class Watch(pl.Callback):
        def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
            seen.update(_weights(pl_module))

    toy_trainer(tmp_path, max_epochs=1, precision="64-true", callbacks=[Watch()]).fit(
        module, datamodule=data
    )
    reference = _module(spec={"outputs": 1})
    reference.task.build(reference.encoders, {"outputs": 1})
    reference.double().load_state_dict(seen)
    batch = collate(range(24), [row.double() for row in data.rows])
    (term,) = reference.task.loss(batch, None, reference_progress()).terms.values()
    (term.total / term.count).backward()
    with torch.no_grad():
        for parameter in reference.parameters():
            assert parameter.grad is not None
            parameter.sub_(0.1 * parameter.grad)

    _assert_close(_weights(reference), _weights(module), 1e-12)


def reference_progress() -> seqforge.Progress:
    return seqforge.Progress(epoch=0, step=0, fraction=0.0)


def test_a_loss_that_is_not_finite_stops_before_the_weights_change(tmp_path: Path) -> None:
    module = _module(Toy(poison=3))
    before: dict[str, Tensor] = {}

    class Watch(pl.Callback):
        def on_train_batch_start(self, trainer: Any, pl_module: Any, *_: Any) -> None:
            before.update(_weights(pl_module))

    with pytest.raises(NonFiniteLoss, match="at optimiser step 3 of epoch 0") as caught:
        toy_trainer(tmp_path, callbacks=[Watch()]).fit(module, datamodule=ToyData())

    assert caught.value.step == 3
    _assert_close(_weights(module), before, 0.0)


def test_half_precision_is_refused(tmp_path: Path) -> None:
    class Half(pl.Trainer):
        precision = "16-mixed"

    trainer = Half(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    with pytest.raises(UserError, match="16-mixed") as caught:
        trainer.fit(_module(), datamodule=ToyData())

    assert "bf16-mixed" in str(caught.value)


def test_validation_does_not_touch_training(tmp_path: Path) -> None:
    final = []
    for limit in (0, 1.0):
        module = _module(
            optimizer=partial(torch.optim.AdamW, lr=0.01),
            ema=0.9,
        )
        trainer = toy_trainer(tmp_path, limit_val_batches=limit, val_check_interval=2)
        trainer.fit(module, datamodule=ToyData())
        final.append((_weights(module), torch.rand(1)))

    _assert_close(final[0][0], final[1][0], 0.0)
    assert torch.equal(final[0][1], final[1][1])


def test_validation_is_exact_and_named_by_loader(tmp_path: Path) -> None:
    module, data = _module(), ToyData()
    trainer = toy_trainer(tmp_path)
    trainer.fit(module, datamodule=data)
    metrics = trainer.callback_metrics
    for key, rows in {"val/loss": data.rows[:5], "val/long/loss": data.rows[5:9]}.items():
        batch = collate(range(len(rows)), rows)
        with torch.no_grad():
            (term,) = module.task.loss(batch, None, reference_progress()).terms.values()
        assert metrics[key].item() == pytest.approx((term.total / term.count).item(), rel=1e-5)

    assert metrics["val/rows"] == 5  # the first loader alone is decoded freely


def test_averaged_weights_are_validated_and_served(tmp_path: Path) -> None:
    module, data = _module(ema=0.99), ToyData()
    trainer = toy_trainer(tmp_path)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "toy.ckpt")
    loaded = seqforge.load(tmp_path / "toy.ckpt")
    with module.average.applied(module.task):
        averaged = _weights(module.task)
    batch = collate(range(5), data.rows[:5])
    with torch.no_grad():
        (term,) = loaded.loss(batch, None, reference_progress()).terms.values()

    _assert_close(_weights(loaded), averaged, 0.0)
    assert not torch.equal(averaged["head.weight"], _weights(module.task)["head.weight"])
    assert trainer.callback_metrics["val/loss"].item() == pytest.approx(
        (term.total / term.count).item(), rel=1e-5
    )
    raw = torch.load(tmp_path / "toy.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(raw["task.head.weight"], module.task.state_dict()["head.weight"])


def test_a_resting_part_stays_as_it_is_and_keeps_no_moments(tmp_path: Path) -> None:
    module = _module(Toy(factors={"encoder": 0.0}), optimizer=partial(torch.optim.AdamW, lr=0.1))
    before: dict[str, Tensor] = {}

    class Watch(pl.Callback):
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            before.update(_weights(pl_module))

    trainer = toy_trainer(tmp_path, callbacks=[Watch()])
    trainer.fit(module, datamodule=ToyData())
    after = _weights(module)
    resting = list(module.task.encoder.parameters())  # type: ignore[union-attr]

    for name, value in before.items():
        assert torch.equal(value, after[name]) == name.startswith("task.encoder")
    assert not any(parameter in trainer.optimizers[0].state for parameter in resting)


def test_progress_is_counted_in_optimiser_steps(tmp_path: Path) -> None:
    seen: list[seqforge.Progress] = []

    class Noting(Toy):
        def learning_rates(self, progress: seqforge.Progress) -> dict[str, float]:
            if self.training:
                seen.append(progress)
            return {}

    module = _module(Noting())
    toy_trainer(tmp_path, accumulate_grad_batches=2).fit(module, datamodule=ToyData(4, 24))

    assert sorted({each.step for each in seen}) == list(range(6))
    assert {(each.epoch, each.step // 3) for each in seen} == {(0, 0), (1, 1)}
    assert max(each.fraction for each in seen) == pytest.approx(5 / 6)


def test_a_module_without_data_module_takes_a_spec(tmp_path: Path) -> None:
    data = ToyData()
    module = _module(spec={"outputs": 1})
    trainer = toy_trainer(tmp_path, max_epochs=1)
    trainer.fit(module, data.train_dataloader(), data.val_dataloader())
    assert trainer.global_step == 6

    with pytest.raises(TypeError, match="needs a data module with spec"):
        trainer.fit(_module(), data.train_dataloader(), data.val_dataloader())
