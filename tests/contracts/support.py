"""What the contract tests share: how each contract is set up, trained and run on two processes."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import nn

from seqforge import DataModule, SequenceModule, Task
from seqforge.encoders import GRU, LSTM
from seqforge.training import (
    AtomicCheckpointIO,
    Checkpointer,
    Constant,
    Cosine,
    RandomState,
)
from tests.contracts.attention_translation import AttentionTranslation, Digits
from tests.contracts.joint_task import JointTask, LabelledLanes, ManyToOne
from tests.contracts.segment_forecaster import SegmentForecaster, Series
from tests.contracts.stateful_characters import Characters, StatefulCharacters
from tests.contracts.unfrozen_captioner import PICTURES, Pictures, UnfrozenCaptioner

GLOBAL_BATCH = 6
EPOCHS = 2


class Contract(NamedTuple):
    """How one task is made, for files in a folder, and what it is asked at the end."""

    task: Callable[[Path], Task]
    data: Callable[[], DataModule]
    ask: Callable[[Path], Sequence[Any]]


def cyclic_text(size: int = 1200) -> str:
    """A text that can be learnt: each character follows from the two before."""
    symbols, text = "abcd", "ab"
    while len(text) < size:
        text += symbols[(symbols.index(text[-1]) + symbols.index(text[-2]) + len(text) // 97) % 4]
    return text


def pretrained(folder: Path) -> str:
    """Weights of the captioner's image network, as if from elsewhere."""
    file = folder / "pretrained.pt"
    if not file.exists():
        with torch.random.fork_rng():
            torch.manual_seed(7)
            network = nn.Sequential(nn.Conv2d(1, 4, 4, 4), nn.BatchNorm2d(4), nn.Flatten())
            network(torch.randn(32, 1, 8, 8))  # statistics of a pretraining
        torch.save(network.state_dict(), file)
    return str(file)


def one_picture(folder: Path) -> Path:
    file = folder / "picture.pt"
    torch.save(PICTURES[5][0], file)
    return file


CONTRACTS = {
    "stateful_characters": Contract(
        lambda folder: StatefulCharacters(8),
        lambda: Characters(cyclic_text(), batch_size=GLOBAL_BATCH),
        lambda folder: ["ab", "cd"],
    ),
    "attention_translation": Contract(
        lambda folder: AttentionTranslation(),
        lambda: Digits(GLOBAL_BATCH),
        lambda folder: ["123", "9", "45671"],
    ),
    "segment_forecaster": Contract(
        lambda folder: SegmentForecaster(),
        lambda: Series(GLOBAL_BATCH),
        lambda folder: [" ".join(str(20 + step % 3) for step in range(16))],
    ),
    "unfrozen_captioner": Contract(
        lambda folder: UnfrozenCaptioner(pretrained(folder)),
        lambda: Pictures(GLOBAL_BATCH),
        lambda folder: [one_picture(folder)],
    ),
    "joint_task": Contract(
        lambda folder: JointTask(StatefulCharacters(16), ManyToOne()),
        lambda: LabelledLanes(GLOBAL_BATCH),
        lambda folder: ["ab"],
    ),
}


def exact_module(name: str, folder: Path) -> SequenceModule:
    """Plain gradient descent without chance, from the same first weights at every call."""
    pl.seed_everything(0, verbose=False)
    return SequenceModule(
        CONTRACTS[name].task(folder),
        partial(LSTM, hidden_size=12),
        optimizer=partial(torch.optim.SGD, lr=0.5),
        schedule=Constant,
    )


def rich_module(name: str, folder: Path) -> SequenceModule:
    """Everything that a resumed run must take up: dropout, momentum, schedule, average."""
    pl.seed_everything(0, verbose=False)
    return SequenceModule(
        CONTRACTS[name].task(folder),
        partial(GRU, hidden_size=12, num_layers=2, dropout=0.2),
        optimizer=partial(torch.optim.AdamW, lr=0.01),
        schedule=Cosine,
        ema=0.9,
    )


def trainer(folder: Path, **options: Any) -> pl.Trainer:
    """A plain Trainer that writes nothing unless it is asked to."""
    defaults: dict[str, Any] = {
        "max_epochs": EPOCHS,
        "accelerator": "cpu",
        "devices": 1,
        "default_root_dir": folder,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": False,
        "num_sanity_val_steps": 0,
    }
    return pl.Trainer(**(defaults | options))


def resumable(folder: Path, *callbacks: pl.Callback, every_steps: int = 2) -> pl.Trainer:
    """A Trainer whose runs can be resumed exactly."""
    checkpointer = Checkpointer(every_steps=every_steps)
    return trainer(
        folder,
        enable_checkpointing=True,
        callbacks=[RandomState(), *callbacks, checkpointer],
        plugins=[AtomicCheckpointIO()],
    )


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def train_exactly(name: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Train in float64 and return the final weights and what validation said."""
    run = trainer(folder, precision="64-true", gradient_clip_val=0.1, **options)
    module = exact_module(name, folder)
    with warnings.catch_warnings():
        # Lightning advises sync_dist for values that are already the same on all ranks.
        warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
        run.fit(module, datamodule=CONTRACTS[name].data())
    metrics = {key: value.item() for key, value in run.callback_metrics.items()}
    return {"weights": weights(module), "metrics": metrics}
