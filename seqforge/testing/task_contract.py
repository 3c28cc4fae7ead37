"""What every task must keep, as checks that a plugin's tests can run.

    def test_contract(tmp_path):
        check_task(MyTask, lambda: MyData(batch_size=4), inputs=["something to answer"])

runs them all on one short training run. Each check takes a `TaskCase` and raises an AssertionError
that names the check and the difference.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import math
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import seqforge
from seqforge import checkpoint as checkpoints
from seqforge.cli.options import add_options, read_options
from seqforge.data import Batch, DataModule, PlanLoader
from seqforge.encoders import LSTM, Encoder, EncoderFactory
from seqforge.state import State
from seqforge.task import Figure, Loss, Source, Table, Task, Text
from seqforge.testing.encoder_runs import types
from seqforge.testing.task_runs import (
    Check,
    TaskCase,
    claim,
    claim_terms,
    difference,
    in_double,
    loss_of,
    named,
    some_numbers,
    undisturbed,
)

SMALL: Callable[[int], Encoder] = partial(LSTM, hidden_size=16)
EXACT = 1e-9
"""Allowed between a batch and its rows where the task computes in float64."""
SINGLE = 1e-5
"""Allowed where a task computes its loss in float32, whatever its weights are."""


def check_task(
    task_factory: Callable[[], Task],
    data_factory: Callable[[], DataModule],
    *,
    encoder: Callable[[int], Encoder] = SMALL,
    inputs: Sequence[Source],
    options: object = None,
    epochs: int = 3,
) -> None:
    """Run every check on one short training run on the CPU.

    Args:
        task_factory: Makes the task: its class, or a function that gives it other arguments.
        data_factory: Makes a data module: a small one, with validation data.
        encoder: The network to train.
        inputs: What a user could give to `seqforge infer`: str for inline data, Path for files.
        options: An instance of the task's options; None: their defaults.
        epochs: How long to train; enough for the loss to fall.

    Raises:
        AssertionError: At the first thing that does not hold.
    """
    case = TaskCase(task_factory, data_factory, encoder, inputs, options, epochs)
    for check in CHECKS:
        check(case)


@named
def check_constructor(case: TaskCase) -> None:
    """The constructor's arguments are kept as plain attributes from which the task is made again.

    Raises:
        AssertionError: If one is lost, changed, untyped or not plain.
    """
    task = case.task_factory()
    for parameter in inspect.signature(type(task)).parameters.values():
        sink = parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        claim(not sink, f"the constructor takes {parameter}: name every option")
        typed = parameter.annotation is not parameter.empty
        claim(typed, f"the constructor's argument '{parameter.name}' has no type")
    arguments = _arguments(task)
    if any(isinstance(value, dict) and "class_path" in value for value in arguments.values()):
        return  # it holds other tasks, which have their own contracts
    again = _arguments(type(task)(**arguments))
    for name, value in arguments.items():
        claim(
            again[name] == value,
            f"'{name}' is kept as {value!r}; made again from that, the task keeps {again[name]!r}: "
            "keep what was given",
        )


@named
def check_options(case: TaskCase) -> None:
    """The task's options are a dataclass that works on the command line.

    Raises:
        AssertionError: If an option cannot be given there, or the defaults are others there.
    """
    task = case.task_factory()
    options = task.options
    claim(dataclasses.is_dataclass(options), f"options is {options!r}, which is no dataclass")
    parser = argparse.ArgumentParser()
    add_options(parser, options, type(task).__name__)
    parser.format_help()
    read = read_options(options, parser.parse_args([]))
    claim(read == options(), f"the command line's defaults are {read}, the class's {options()}")


@named
def check_spec(case: TaskCase) -> None:
    """The data's description survives JSON unchanged, since checkpoints keep it.

    Raises:
        AssertionError: If it has tuples, keys that are not str, arrays or the like.
    """
    spec = case.data.spec()
    again = json.loads(json.dumps(spec))
    for name, value in spec.items():
        claim(again.get(name) == value, f"'{name}' comes back from JSON as {again.get(name)!r}")


@named
def check_training(case: TaskCase) -> None:
    """A plain Trainer trains it on the CPU, and the loss falls.

    Raises:
        AssertionError: If the loss is not finite, or is no lower afterwards.
    """
    before, after = case.fitted.losses
    claim(math.isfinite(before) and math.isfinite(after), f"the loss goes from {before} to {after}")
    claim(after < before, f"in {case.epochs} epochs the loss goes from {before:.6g} to {after:.6g}")


@named
def check_monitor(case: TaskCase) -> None:
    """What checkpoints are selected by is logged, and has a direction.

    Raises:
        AssertionError: If it is not logged, or its mode is neither "min" nor "max".
    """
    name, mode = case.fitted.module.task.monitor
    claim(mode in ("min", "max"), f"the monitor's mode is {mode!r}, not 'min' or 'max'")
    logged = sorted(case.fitted.trainer.callback_metrics)
    claim(name in logged, f"the monitor '{name}' is not logged; these are: {', '.join(logged)}")


@named
def check_state(case: TaskCase) -> None:
    """The state that `loss` returns goes on from that of `start`.

    Raises:
        AssertionError: If one of both is None, or their structures differ.
    """
    task, batch = case.trained_task(), case.training_batches[0]
    start, state = task.start(len(batch.ids)), loss_of(task, batch).state
    claim(
        types(start) == types(state),
        f"start() gives {types(start)} and loss a state of {types(state)}: "
        "carry one and the same structure, or None in both",
    )


@named
def check_sums(case: TaskCase) -> None:
    """The loss is sums and counts: a batch with every sample twice has twice the loss.

    Raises:
        AssertionError: If a total is a mean, a count is negative, or either is no scalar.
    """
    task = case.trained_task().double()
    for batch in case.training_batches:
        claim_terms(loss_of(task, in_double(batch)))
    loader = case.train_loader
    if not isinstance(loader, PlanLoader):
        return  # other loaders do not give single samples
    numbers = some_numbers(loader)
    samples = [loader.samples[number] for number in numbers]
    once = loss_of(task, in_double(loader.collate(numbers, samples)))
    twice = loss_of(task, in_double(loader.collate([*numbers, *numbers], [*samples, *samples])))
    _claim_sum("a batch with every sample twice", twice, [once, once])


@named
def check_rows(case: TaskCase) -> None:
    """A batch's loss is the sum of its rows' own: neither padding nor neighbours count.

    Raises:
        AssertionError: If it is another.
    """
    loader = case.train_loader
    if not isinstance(loader, PlanLoader):
        return
    task = case.trained_task().double()
    numbers = some_numbers(loader)
    samples = [loader.samples[number] for number in numbers]
    whole = loss_of(task, in_double(loader.collate(numbers, samples)))
    rows = [
        loss_of(task, in_double(loader.collate([number], [sample])))
        for number, sample in zip(numbers, samples, strict=True)
    ]
    _claim_sum(f"a batch of {len(rows)} samples", whole, rows)


@named
def check_evaluation(case: TaskCase) -> None:
    """`finish_evaluation` returns numbers, and forgets what they were made from.

    Raises:
        AssertionError: If a value is no float, or an earlier pass shows in a later one.
    """
    fresh, used = case.trained_task(), case.trained_task()
    first = case.evaluation_batches[:1]
    expected = _evaluated(fresh, first)
    for name, value in expected.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        claim(number, f"finish_evaluation gives a {type(value).__name__} for '{name}', no float")
    for batches in (case.evaluation_batches, case.training_batches):
        _evaluated(used, batches)  # apart: sample numbers are those of one pass
    actual = _evaluated(used, first)
    claim(
        actual.keys() == expected.keys()
        and np.allclose(list(actual.values()), list(expected.values()), equal_nan=True),
        f"after another pass, a batch gives {actual} instead of {expected}: "
        "finish_evaluation must clear the metrics",
    )


@named
def check_preview(case: TaskCase) -> None:
    """Looking at previews changes nothing: no global generator and no weight.

    Raises:
        AssertionError: If a generator or a tensor changes, or something else than previews comes.
    """
    module, batch = case.fitted.module, case.evaluation_batches[0]
    training = module.task.training
    before = {name: tensor.clone() for name, tensor in module.task.state_dict().items()}
    with undisturbed(), _generators_unchanged():
        previews = module.preview(batch)
    for preview in previews:
        shown = isinstance(preview, Text | Table | Figure)
        claim(shown, f"preview gave a {type(preview).__name__}, not a Text, Table or Figure")
    claim(module.task.training == training, "preview leaves the task in another mode")
    for name, tensor in module.task.state_dict().items():
        claim(torch.equal(tensor, before[name]), f"preview changes '{name}'")


@named
def check_checkpoint(case: TaskCase) -> None:
    """The checkpoint holds tensors and plain values only.

    Raises:
        AssertionError: If it cannot be written, or not be read with `weights_only=True`.
    """
    with _checkpoint(case) as file:
        loaded = torch.load(file, weights_only=True)
    claim("seqforge" in loaded, "the checkpoint does not describe the task")


@named
def check_inference(case: TaskCase) -> None:
    """The task that `seqforge.load` rebuilds answers as the trained one does.

    Raises:
        AssertionError: If there is no answer, or one differs.
    """
    expected = case.answers(case.trained_task())
    claim(bool(expected), f"infer answers nothing to {list(case.inputs)}")
    with _checkpoint(case) as file:
        actual = case.answers(seqforge.load(file))
    claim(len(actual) == len(expected), f"{len(actual)} answers instead of {len(expected)}")
    for number, (mine, theirs) in enumerate(zip(actual, expected, strict=True)):
        found = difference(mine, theirs)
        claim(not found, f"answer {number} after save and load: {found}")


def _arguments(task: Task) -> dict[str, Any]:
    # Any encoder will do: only the task's part of the description is looked at.
    description = checkpoints.describe(task, EncoderFactory(LSTM), {})
    arguments: dict[str, Any] = description["task"]["init_args"]
    return arguments


def _claim_sum(what: str, whole: Loss, parts: Sequence[Loss]) -> None:
    for name, term in whole.terms.items():
        tolerance = EXACT if term.total.dtype == torch.float64 else SINGLE
        for part in ("total", "count"):
            actual = float(getattr(term, part))
            expected = math.fsum(float(getattr(each.terms[name], part)) for each in parts)
            claim(
                math.isclose(actual, expected, rel_tol=tolerance, abs_tol=tolerance),
                f"{what} has a {part} of '{name}' of {actual:.12g}; its parts add up to "
                f"{expected:.12g}",
            )


@torch.no_grad()
def _evaluated(task: Task, batches: Sequence[Batch]) -> dict[str, float]:
    for batch in batches:
        task.evaluate(batch)
    return task.finish_evaluation()


@contextmanager
def _generators_unchanged() -> Iterator[None]:
    before = _generators()
    yield
    for name, state in _generators().items():
        claim(
            state == before[name],
            f"preview draws from the global generator of {name}: use a generator of its own",
        )


def _generators() -> dict[str, State]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": (name, np.asarray(keys).tolist(), *rest),
        "random": random.getstate(),
    }


@contextmanager
def _checkpoint(case: TaskCase) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, undisturbed():
        file = Path(folder, "contract.ckpt")
        case.fitted.trainer.save_checkpoint(file)
        yield file


CHECKS: tuple[Check, ...] = (
    check_constructor,
    check_options,
    check_spec,
    check_training,
    check_monitor,
    check_state,
    check_sums,
    check_rows,
    check_evaluation,
    check_preview,
    check_checkpoint,
    check_inference,
)
