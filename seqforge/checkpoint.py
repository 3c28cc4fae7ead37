"""Checkpoints: tensors and plain values, from which a task is rebuilt without YAML or data.

A checkpoint is Lightning's dictionary with one entry more, "seqforge": a format version, the chosen
classes with their arguments as plain values, and the data's spec. It is read with
`weights_only=True`, and class names in it are looked up among registered classes only, so that a
file can neither run code nor make anything be imported.
"""

from __future__ import annotations

import inspect
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqforge.discovery import ENCODERS, GROUPS, TASKS
from seqforge.encoders import Encoder, EncoderFactory
from seqforge.encoders.factory import encoder_class
from seqforge.errors import UserError, closest_match
from seqforge.plugin_loading import base_class
from seqforge.registry import Registry
from seqforge.registry import load as load_registry
from seqforge.task import Spec, Task

FORMAT = 1
"""Version of the "seqforge" entry; raised when older readers could not read it rightly."""

GIVE_ONE = "give a .ckpt file or a run folder, such as those under runs/"
PLAIN = (str, int, float, bool, type(None))


def load(path: str | Path, device: str | torch.device = "cpu") -> Task:
    """Rebuild the task of a checkpoint, ready to infer.

    Args:
        path: A checkpoint file, or a run folder: its best checkpoint, else its last one.
        device: Where the network shall live.

    Returns:
        The task in evaluation mode, with the averaged weights where training kept some.

    Raises:
        UserError: No such file; a damaged, foreign or hostile file; a class that is not installed.
    """
    file = find(path)
    checkpoint = read(file)
    description = checkpoint["seqforge"]
    name = str(description["task"]["class_path"]).rpartition(".")[2]
    with _fitting(file, name):
        task = _rebuilt(description)
    weights = {
        name.removeprefix("task."): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith("task.")
    }
    weights |= checkpoint.get("average", {}).get("weights", {})
    if any(weight.dtype == torch.float64 for weight in weights.values()):
        task.double()
    with _fitting(file, name):
        task.load_state_dict(weights)
    return task.to(device).eval()


def read(path: str | Path) -> dict[str, Any]:
    """Read and vet a checkpoint; nothing in it is run or imported.

    Args:
        path: A checkpoint file, or a run folder.

    Raises:
        UserError: As `load` says.
    """
    file = find(path)
    checkpoint = _read_plain(file)
    if not isinstance(checkpoint, dict) or "seqforge" not in checkpoint:
        raise UserError(
            f"'{file}' is no seqforge checkpoint",
            todo="give a .ckpt file that `seqforge fit` wrote, or a run folder",
        )
    description = checkpoint["seqforge"]
    if not isinstance(description, dict):
        raise _damaged(file, "'seqforge' in it is no mapping")
    if description.get("format") != FORMAT:
        raise UserError(
            f"'{file}' has checkpoint format {description.get('format')!r}",
            accepted=(str(FORMAT),),
            todo=f"install seqforge {description.get('version', '(newer)')}, which wrote it",
        )
    problem = check_structure(checkpoint)
    if problem:
        raise _damaged(file, problem)
    vet(description, file)
    return checkpoint


def find(path: str | Path) -> Path:
    """Return the checkpoint file that a path means: the file, or a run folder's best or last one.

    Raises:
        UserError: There is none.
    """
    given = Path(path)
    if given.is_file():
        return given
    folder = given / "checkpoints" if (given / "checkpoints").is_dir() else given
    for name in ("best.ckpt", "last.ckpt"):
        if (folder / name).is_file():
            return folder / name
    if given.is_dir():
        newest = _newest_run(given)
        raise UserError(
            f"no best.ckpt or last.ckpt in '{given}'",
            closest=newest,
            todo=f"give a run folder: '{newest}' is the newest one" if newest else GIVE_ONE,
        )
    siblings = [str(file) for file in given.parent.glob("*.ckpt")] if given.parent.is_dir() else []
    raise UserError(
        f"there is no checkpoint '{given}'",
        closest=closest_match(str(given), siblings),
        todo=GIVE_ONE,
    )


def vet(description: Mapping[str, Any], file: Path) -> None:
    """Check that every class a checkpoint names is a registered one.

    Raises:
        UserError: A class is unknown, with the package to install, or the entry is malformed.
    """
    registry = load_registry()
    try:
        _vet_part(registry, TASKS, description["task"], str(file))
        for saved in [description["encoder"], *description["roles"].values()]:
            registry.find_saved(ENCODERS, saved, where=str(file))
    except (KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _damaged(file, f"its description lacks {error}") from error


def describe(task: Task, encoders: EncoderFactory, spec: Spec) -> dict[str, Any]:
    """Return the "seqforge" entry of a checkpoint: all that `load` needs besides the weights.

    Raises:
        TypeError: A constructor argument is not kept as an attribute, or is no plain value.
    """
    registry = load_registry()
    described = encoders.describe()

    def encoder(entry: Mapping[str, Any]) -> dict[str, Any]:
        # With the defaults of today: a later version may have others.
        arguments = {**_defaults(entry["class"]), **entry["init_args"]}
        plain = {name: _plain(value, name) for name, value in arguments.items()}
        return {**registry.identify(entry["class"]), "init_args": plain}

    return {
        "format": FORMAT,
        "version": _version(),
        "task": _describe_part(registry, task),
        "encoder": encoder(described["encoder"]),
        "roles": {role: encoder(entry) for role, entry in described["roles"].items()},
        "spec": _plain(dict(spec), "spec"),
    }


def check_structure(checkpoint: Mapping[str, Any]) -> str:
    """Return what is wrong with the kinds of a checkpoint's parts; "" if nothing is."""
    description = checkpoint["seqforge"]
    for name in ("task", "encoder", "roles", "spec"):
        if name not in description:
            return f"its description lacks '{name}'"
        if not _is_mapping(description[name]):
            return f"'{name}' in its description is no mapping"
    if not _is_mapping(checkpoint.get("state_dict"), Tensor):
        return "'state_dict' in it is no mapping of names to tensors"
    average = checkpoint.get("average", {})
    if not _is_mapping(average) or not _is_mapping(average.get("weights", {}), Tensor):
        return "'average' in it is no mapping of names to tensors"
    if not _is_mapping(checkpoint.get("metrics", {}), Tensor):
        return "'metrics' in it is no mapping of names to tensors"
    if "optimizer_states" in checkpoint:
        if type(checkpoint.get("global_step")) is not int:
            return "'global_step' in it is no whole number"
        if not _is_mapping(checkpoint.get("loops")):
            return "'loops' in it is no mapping"
    return ""


def _is_mapping(value: object, of: type = object) -> bool:
    """Return whether a value is a mapping of texts to values of a kind."""
    return isinstance(value, dict) and all(
        isinstance(key, str) and isinstance(child, of) for key, child in value.items()
    )


def check_spec(checkpoint: Mapping[str, Any], spec: Spec) -> None:
    """Refuse to go on with data that differs from what a checkpoint was trained on.

    Raises:
        UserError: The specs differ, with the first key that does.
    """
    saved = checkpoint.get("seqforge", {}).get("spec", {})
    present = _plain(dict(spec), "spec")
    for name in [*saved, *present]:
        if saved.get(name) != present.get(name):
            raise UserError(
                f"the data's {name} is not the one that the checkpoint was trained with",
                where="data",
                todo="give the data of the checkpoint's run, or start a new run",
            )


def _read_plain(file: Path) -> Any:
    if not os.access(file, os.R_OK):
        raise UserError(f"'{file}' cannot be read", todo="check its permissions")
    if not zipfile.is_zipfile(file):
        raise UserError(
            f"'{file}' is no checkpoint, or was cut short while it was copied or written",
            todo="give a .ckpt file that `seqforge fit` wrote, or another one of the same run",
        )
    try:
        # torch does not look at the checksums, and would hand out whatever stands there.
        with zipfile.ZipFile(file) as archive:
            wrong = archive.testzip()
        if wrong is None:
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"'{file}' holds more than tensors and plain values, or is damaged: it was not loaded",
            todo="use it only with the program that wrote it; nothing of it was run here",
        ) from error
    except Exception as error:  # damaged bytes can make readers raise nearly anything
        raise _damaged(file, one_line(error)) from error
    raise _damaged(file, f"the checksum of '{wrong}' is wrong")


def one_line(error: BaseException) -> str:
    """Return what an exception says, its kind included, in one line."""
    text = str(error).strip()
    if text.startswith("Error(s) in loading state_dict"):
        text = text.splitlines()[-1].strip()  # one of the weights that do not fit
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _damaged(file: Path, cause: str) -> UserError:
    return UserError(f"'{file}' is damaged: {cause}", todo="use another checkpoint of the run")


def _newest_run(root: Path) -> str:
    files = [*root.glob("*/checkpoints/best.ckpt"), *root.glob("*/checkpoints/last.ckpt")]
    newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
    return str(newest.parent.parent) if newest is not None else ""


@contextmanager
def _fitting(file: Path, name: str) -> Iterator[None]:
    """Say of which checkpoint and class it is that something could not be rebuilt."""
    try:
        yield
    except UserError:
        raise
    # The arguments, the spec and the weights may be anything, so may be what a class raises.
    except Exception as error:
        raise UserError(
            f"'{file}' does not fit {name}: {one_line(error)}",
            todo="use another checkpoint, or install the package's version that wrote this one",
        ) from error


def _defaults(cls: type) -> dict[str, Any]:
    parameters = inspect.signature(cls).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def _describe_part(registry: Registry, part: object) -> dict[str, Any]:
    """Describe a task, or a part of one, such as an image encoder, as class and arguments."""
    cls = type(part)
    arguments = {}
    for name in inspect.signature(cls).parameters:
        if not hasattr(part, name):
            raise TypeError(
                f"{cls.__name__} must keep its constructor's argument '{name}' as an "
                f"attribute of the same name, so that checkpoints can store it"
            )
        value = getattr(part, name)
        group = _part_group(type(value))
        arguments[name] = (
            {**_describe_part(registry, value), "group": group} if group else _plain(value, name)
        )
    return {**registry.identify(cls), "init_args": arguments}


def _part_group(cls: type) -> str:
    """Return the plugin group of a class that tasks take as arguments; "" if it is of none."""
    groups = (name for name, group in GROUPS.items() if group.part)
    return next((name for name in groups if issubclass(cls, base_class(name))), "")


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, PLAIN) and type(value) in PLAIN:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(child, f"{name}.{key}") for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child, name) for child in value]
    raise TypeError(f"'{name}' is a {type(value).__name__}: checkpoints hold plain values only")


def _rebuilt(description: Mapping[str, Any]) -> Task:
    registry = load_registry()
    factory = EncoderFactory(
        _saved_encoder(registry, description["encoder"]),
        {role: _saved_encoder(registry, saved) for role, saved in description["roles"].items()},
    )
    task: Task = _saved_part(registry, TASKS, description["task"])
    task.build(factory, description["spec"])
    return task


def _is_class(saved: object) -> bool:
    return isinstance(saved, dict) and {"class_path", "init_args"} <= set(saved)


def _group_of(saved: Mapping[str, Any]) -> str:
    # Tasks were the only parts before others were named by their group.
    group = saved.get("group", TASKS)
    if group not in GROUPS or not GROUPS[group].part:
        raise UserError(
            f"no kind of part is called '{group}'",
            accepted=(name for name, each in GROUPS.items() if each.part),
            todo="install the version of seqforge that wrote the checkpoint",
        )
    return str(group)


def _vet_part(registry: Registry, group: str, saved: Mapping[str, Any], where: str) -> None:
    registry.find_saved(group, saved, where=where)
    for value in saved["init_args"].values():
        if _is_class(value):
            _vet_part(registry, _group_of(value), value, where)


def _saved_encoder(registry: Registry, saved: Mapping[str, Any]) -> Callable[[int], Encoder]:
    factory = partial(registry.find_saved(ENCODERS, saved), **saved["init_args"])
    encoder_class(factory)
    return factory


def _saved_part(registry: Registry, group: str, saved: Mapping[str, Any]) -> Any:
    cls = registry.find_saved(group, saved)
    arguments = {
        name: _saved_part(registry, _group_of(value), value) if _is_class(value) else value
        for name, value in saved["init_args"].items()
    }
    part = cls(**arguments)
    if not isinstance(part, base := base_class(group)):
        raise TypeError(f"{cls.__name__} is no {base.__name__}")
    return part


def _version() -> str:
    try:
        return version("seqforge-lightning")
    except PackageNotFoundError:
        return "unknown"
