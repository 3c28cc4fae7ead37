"""`DataModule`: how data reaches a task, the same on one process and on many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pytorch_lightning import LightningDataModule

from seqforge.data.batch import Batch, Samples
from seqforge.data.loader import PlanLoader
from seqforge.data.plan import Plan
from seqforge.data.position import PositionedLoader
from seqforge.data.seed import run_seed
from seqforge.data.shards import Shards
from seqforge.data.stream import StreamLoader
from seqforge.errors import UserError

Sample = TypeVar("Sample")


class DataModule(LightningDataModule):
    """Base class of data modules: a Lightning one that also describes itself in plain values.

    Args:
        batch_size: Samples in one batch over all processes together.
        num_workers: Processes that load data, for each training process; 0 loads in place.
        seed: What the order of samples is drawn from, together with the epoch; None: the run's.

    Raises:
        UserError: `num_workers` is negative.
    """

    def __init__(self, batch_size: int = 32, num_workers: int = 0, seed: int | None = None) -> None:
        super().__init__()
        if num_workers < 0:
            raise UserError(
                f"num_workers is {num_workers}",
                where="data.num_workers",
                todo="give 0, which loads in place, or more",
            )
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = run_seed() if seed is None else seed
        self._train_loader: PositionedLoader | None = None
        self._restored: dict[str, int] | None = None

    def spec(self) -> dict[str, Any]:
        """Return what a task needs to build its network, as plain JSON values.

        Called after `setup`; saved in checkpoints.
        """
        raise NotImplementedError(f"{type(self).__name__} must define spec()")

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Take over what a checkpoint knows of its data, such as vocabularies, before `setup`.

        Called where a checkpoint is measured on data of its own; a data module that makes nothing
        from its training part need not do anything.

        Args:
            spec: What `spec` returned when the checkpoint was trained.
        """

    def notes(self) -> Sequence[str]:
        """Return lines for the user to see at the start of training, after `setup`."""
        return ()

    def val_dataloader(self) -> dict[str, Any]:
        """Return named validation loaders; the first one is scored by free decoding as well."""
        return {}

    def test_dataloader(self) -> dict[str, Any]:
        """Return named test loaders; the validation loaders unless a subclass has others."""
        return self.val_dataloader()

    def predict_dataloader(self) -> Any:
        """Return the loader that `predict` runs over: the first of the test loaders."""
        return next(iter(self.test_dataloader().values()), [])

    def train_loader(
        self,
        samples: Samples[Sample],
        plan: Plan,
        collate: Callable[[Sequence[int], list[Sample]], Batch],
    ) -> PlanLoader[Sample]:
        """Return the training loader for a plan; its position is saved and resumed.

        Args:
            samples: Random access to the samples.
            plan: Which samples make up which batch.
            collate: Makes a batch from global sample numbers and their samples.
        """
        loader = self._loader(samples, plan, collate)
        self._take_up(loader)
        return loader

    def stream_loader(
        self,
        shards: Shards[Sample],
        collate: Callable[[Sequence[int], list[Sample]], Batch],
        batches_per_epoch: int,
        buffer: int = 1024,
        readers: int = 8,
        fixed: bool = False,
    ) -> StreamLoader[Sample]:
        """Return a loader of streamed data; in training its position is saved and resumed.

        Args:
            shards: A `datasets.IterableDataset` or whatever offers shards.
            collate: Makes a batch from global sample numbers and their samples.
            batches_per_epoch: Batches in an epoch, since a stream's length is not known.
            buffer: Samples of a shard among which the next one is drawn.
            readers: Shards that a process reads at a time.
            fixed: True for validation or test: the same batches at every pass.
        """
        trainer = self.trainer
        loader = StreamLoader(
            shards,
            collate,
            self.batch_size,
            batches_per_epoch,
            buffer=buffer,
            readers=readers,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
            num_workers=self.num_workers,
            seed=self.seed,
            fixed=fixed,
            limit=None if fixed else self._limit(batches_per_epoch),
        )
        if not fixed:
            self._take_up(loader)
        return loader

    def eval_loader(
        self,
        samples: Samples[Sample],
        plan: Plan,
        collate: Callable[[Sequence[int], list[Sample]], Batch],
    ) -> PlanLoader[Sample]:
        """Return a loader for validation or test: the same batches at every pass."""
        return self._loader(samples, plan, collate, fixed=True)

    def _loader(
        self,
        samples: Samples[Sample],
        plan: Plan,
        collate: Callable[[Sequence[int], list[Sample]], Batch],
        fixed: bool = False,
    ) -> PlanLoader[Sample]:
        trainer = self.trainer
        return PlanLoader(
            samples,
            plan,
            collate,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
            num_workers=self.num_workers,
            seed=self.seed,
            fixed=fixed,
            limit=None if fixed else self._limit(plan.batches()),
        )

    def _take_up(self, loader: PositionedLoader) -> None:
        """Let a new training loader go on where the checkpoint or the one before it stands."""
        if self._restored is None and self._train_loader is not None:
            self._restored = self._train_loader.position()
        if self._restored is not None:
            loader.restore(**self._restored)
            self._restored = None
        self._train_loader = loader

    def _limit(self, batches: int) -> int | None:
        """Return how many batches of an epoch the trainer takes."""
        limit = self.trainer.limit_train_batches if self.trainer else 1.0
        return limit if isinstance(limit, int) else int(batches * limit)

    def teardown(self, stage: str) -> None:
        """Release what the training loader keeps between epochs."""
        if self._train_loader is not None:
            self._train_loader.close()

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the training data: batches delivered, not batches prefetched."""
        return {} if self._train_loader is None else dict(self._train_loader.position())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint; used when the training loader is made."""
        self._restored = dict(state_dict) or None
        if self._train_loader is not None and self._restored is not None:
            self._train_loader.restore(**self._restored)
