"""Run folders: one for each training run, named once, found again to go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seqforge.errors import UserError, closest_match

FREE_KEYS = (
    "config",
    "ckpt_path",
    "weights_only",
    "resume",
    "run",
    "checkpoint",
    "samples",
    "trainer.max_epochs",
    "trainer.max_steps",
    "trainer.max_time",
    "trainer.min_epochs",
    "trainer.min_steps",
    "trainer.default_root_dir",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "trainer.strategy",
    "trainer.logger",
    "trainer.log_every_n_steps",
    "trainer.enable_progress_bar",
    "trainer.profiler",
    "model.optimizer.init_args.lr",
    "data.init_args.path",
    "data.init_args.num_workers",
)
"""What a resumed run may change: how long, where and on what it runs, not what it learns."""

SHARED_VARIABLE = "SEQFORGE_RUN"
"""Hands the decision of the first process down to those that it starts."""


@dataclass(frozen=True)
class Run:
    """A run folder and the checkpoint to go on from.

    Attributes:
        folder: Where everything of the run lies.
        checkpoint: Where to go on from; empty for a fresh start.
        note: One line for the user.
    """

    folder: Path
    checkpoint: str = ""
    note: str = ""


def decide(root: Path, config: Mapping[str, Any], task: str, resume: str, name: str) -> Run:
    """Choose the run folder and make it.

    Args:
        root: Folder of all runs.
        config: The resolved configuration.
        task: The task's name, for the name of a new run.
        resume: "no", "auto", or the path of a run folder or checkpoint.
        name: Name of the run to go on with, or of the new one; empty: chosen here.

    Raises:
        UserError: The configuration is not the run's own, or a path does not exist.
    """
    if name:
        _require_name(name)
        folder = root / name
        existing = folder.is_dir() and (folder / "config.yaml").is_file()
        return _go_on(folder, config) if existing else _fresh(folder, config)
    if resume not in ("no", "auto"):
        folder = _folder_of(Path(resume))
        return _go_on(folder, config)
    if resume == "auto":
        for folder in _unfinished(root):
            if not _differences(_saved_config(folder), config):
                return _go_on(folder, config)
    new = _fresh(_new_folder(root, task), config)
    if resume == "auto":
        note = "no unfinished run of this configuration: starting a new one"
        return Run(new.folder, note=note)
    return new


def finish(folder: Path) -> None:
    """Mark a run as finished, so that `--resume auto` does not take it up again."""
    (folder / "finished").write_text(time.strftime("%Y-%m-%d %H:%M:%S\n"))


def shared(root: Path, make: Callable[[], Run]) -> Run:
    """Let the first process of a distributed run decide, and tell all the others.

    Processes that Lightning starts inherit the decision; torchrun's processes ask its store;
    SLURM's read a file named after their job step.
    """
    inherited = os.environ.get(SHARED_VARIABLE)
    if inherited:
        return _loads(inherited)
    if "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ:
        return _by_store(make)
    if int(os.environ.get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in os.environ:
        return _by_file(root, make)
    return make()


def dumps(run: Run) -> str:
    """Return a decision as text, for `SHARED_VARIABLE`."""
    return json.dumps([str(run.folder), run.checkpoint, run.note])


def _loads(text: str) -> Run:
    folder, checkpoint, note = json.loads(text)
    return Run(Path(folder), checkpoint, note)


def _by_store(make: Callable[[], Run]) -> Run:
    from torch.distributed.rendezvous import rendezvous

    store, rank, _ = next(rendezvous("env://"))
    key = f"seqforge/run/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
    if rank == 0:
        store.set(key, dumps(make()))
    return _loads(store.get(key).decode())


def _by_file(root: Path, make: Callable[[], Run], patience: float = 300.0) -> Run:
    step = [os.environ.get(f"SLURM_{name}", "0") for name in ("JOB_ID", "STEP_ID", "RESTART_COUNT")]
    file = root / f".slurm-{'-'.join(step)}.json"
    if os.environ["SLURM_PROCID"] == "0":
        run = make()
        part = file.with_suffix(".part")
        part.write_text(dumps(run))
        part.replace(file)
        return run
    deadline = time.monotonic() + patience
    while not file.exists():
        if time.monotonic() > deadline:
            raise UserError(
                f"the first process did not choose a run folder within {patience:.0f} s",
                where=str(file),
                todo="look at its output; all nodes must share this folder",
            )
        time.sleep(0.1)
    return _loads(file.read_text())


def _require_name(name: str) -> None:
    if Path(name).name != name or name in (".", ".."):
        raise UserError(
            f"'{name}' is no name of a run",
            where="--run",
            todo="give a plain folder name, as those under runs/",
        )


def _new_folder(root: Path, task: str) -> Path:
    stem = f"{task}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, number = root / stem, 2
    while folder.exists():
        folder, number = root / f"{stem}-{number}", number + 1
    return folder


def _fresh(folder: Path, config: Mapping[str, Any]) -> Run:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(dump(config), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write the run folder '{folder}': {error.strerror}",
            where="trainer.default_root_dir",
            todo="choose a folder that can be written, with --trainer.default_root_dir",
        ) from error
    return Run(folder)


def _go_on(folder: Path, config: Mapping[str, Any]) -> Run:
    differences = _differences(_saved_config(folder), config)
    if differences:
        key, old, new = differences[0]
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        raise UserError(
            f"{key} is {new!r}, but run '{folder.name}' was started with {old!r}{more}",
            where=str(folder / "config.yaml"),
            todo="go on with the run's own configuration, or start a new run without --resume",
        )
    last = folder / "checkpoints" / "last.ckpt"
    if not last.is_file():
        return Run(folder, note=f"run '{folder.name}' has no checkpoint yet: it starts afresh")
    number = len(list(folder.glob("config*.yaml"))) + 1
    (folder / f"config-{number}.yaml").write_text(dump(config), encoding="utf-8")
    return Run(folder, str(last), f"going on with run '{folder.name}'")


def _folder_of(path: Path) -> Path:
    folder = path.parent.parent if path.is_file() else path
    if (folder / "config.yaml").is_file():
        return folder
    siblings = [str(each) for each in path.parent.glob("*")] if path.parent.is_dir() else []
    raise UserError(
        f"'{path}' is no run folder and no checkpoint of one",
        where="--resume",
        accepted=("auto", "no", "a run folder"),
        closest=closest_match(str(path), ["auto", *siblings]),
        todo="give a folder under runs/, or --resume auto",
    )


def _unfinished(root: Path) -> list[Path]:
    configs = root.glob("*/config.yaml") if root.is_dir() else []
    folders = [file.parent for file in configs if not (file.parent / "finished").exists()]
    return sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)


def _saved_config(folder: Path) -> dict[str, Any]:
    try:
        saved = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(
            f"the configuration of run '{folder.name}' cannot be read: {error}",
            where=str(folder / "config.yaml"),
            todo="start a new run",
        ) from error
    return saved if isinstance(saved, dict) else {}


def dump(config: Mapping[str, Any]) -> str:
    """Return a configuration as YAML, keys in their own order."""
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    before, after = flatten(old), flatten(new)
    return [
        (key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
        and not any(key == free or key.startswith(f"{free}.") for free in FREE_KEYS)
    ]


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat
