"""Run folders: one for each training run, named once, found again to go on."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqforge import checkpoint as checkpoints
from seqforge.cli import run_config
from seqforge.errors import UserError, closest_match

Completion = Callable[[Mapping[str, Any]], Mapping[str, Any]]

FINISHED = "finished"
"""A file that marks a finished run, and holds the limits that it had."""


@dataclass(frozen=True)
class Run:
    """A run folder and the checkpoint to go on from.

    Attributes:
        folder: Where everything of the run lies.
        checkpoint: Where to go on from; empty for a fresh start.
        steps: Optimiser steps that the checkpoint has taken.
        note: One line for the user.
        trial: Whether nothing of it is kept.
    """

    folder: Path
    checkpoint: str = ""
    steps: int = 0
    note: str = ""
    trial: bool = False


def decide(
    root: Path,
    config: Mapping[str, Any],
    task: str,
    resume: str,
    name: str,
    with_defaults: Completion = lambda saved: saved,
) -> Run:
    """Choose the run folder, and make it if it is a new one.

    Args:
        root: Folder of all runs.
        config: The resolved configuration.
        task: The task's name, for the name of a new run.
        resume: "no", "auto", or the path of a run folder or of its `last.ckpt`.
        name: Name of the run to go on with, or of the new one; empty: chosen here.
        with_defaults: Adds today's defaults to a configuration that was saved when there were
            fewer options.

    Raises:
        UserError: The configuration is not the run's own, or a path does not exist.
    """
    if name and resume not in ("no", "auto"):
        raise UserError(
            f"both --run {name} and --resume {resume} say which run it is",
            where="command line",
            todo="give one of them",
        )
    if name:
        _require_name(name)
        folder = root / name
        if (folder / "config.yaml").is_file():
            return _go_on(folder, config, with_defaults)
        _make(folder, config, exist_ok=True)
        return Run(folder)
    if resume not in ("no", "auto"):
        return _go_on(_folder_of(Path(resume)), config, with_defaults)
    note = ""
    if resume == "auto":
        unfinished = _unfinished(root, config, with_defaults)
        for folder, difference in unfinished:
            if not difference:
                return _go_on(folder, config, with_defaults)
        note = "no unfinished run of this configuration"
        if unfinished:
            newest, key = unfinished[0]
            note += f" (the newest one, '{newest.name}', differs in {key})"
        note += ": starting a new one"
    return Run(_new_folder(root, task, config), note=note)


def trial() -> Run:
    """Return a run in a temporary folder, for trying things out."""
    folder = Path(tempfile.mkdtemp(prefix="seqforge-"))
    return Run(folder, note="a trial run: nothing of it is kept", trial=True)


def finish(run: Run, config: Mapping[str, Any]) -> None:
    """Mark a run as finished, so that `--resume auto` does not take it up again."""
    if run.trial:
        discard_unused(run)
        return
    text = json.dumps(run_config.limits(config), default=str)
    (run.folder / FINISHED).write_text(text + "\n", encoding="utf-8")


def is_finished(folder: Path, config: Mapping[str, Any]) -> bool:
    """Return whether a run was finished under the very limits that a configuration has."""
    try:
        text = (folder / FINISHED).read_text(encoding="utf-8")
    except OSError:
        return False
    return text.strip() == json.dumps(run_config.limits(config), default=str)


def resume(folder: Path, config: Mapping[str, Any]) -> None:
    """Note that a run goes on: keep the configuration it goes on with, and call it unfinished.

    Raises:
        UserError: The folder cannot be written.
    """
    number = len(list(folder.glob("config*.yaml"))) + 1
    text = run_config.dump(config)
    try:
        (folder / f"config-{number}.yaml").write_text(text, encoding="utf-8")
        (folder / FINISHED).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write in the run folder '{folder}': {error.strerror}",
            where="--run or --resume",
            todo="make it writable, or start a new run elsewhere: --trainer.default_root_dir",
        ) from error


def discard_unused(run: Run) -> None:
    """Take a new run's folder away, if it holds no more than its configuration and empty logs.

    A trial's folder goes whatever it holds.
    """
    if run.trial:
        shutil.rmtree(run.folder, ignore_errors=True)
        return
    if run.checkpoint or not (run.folder / "config.yaml").is_file():
        return
    logs = run.folder / "logs"
    names = {entry.name for entry in run.folder.iterdir()}
    if names <= {"config.yaml", "logs"} and not (logs / "metrics.csv").exists():
        shutil.rmtree(run.folder, ignore_errors=True)


def _require_name(name: str) -> None:
    if Path(name).name != name or name in (".", "..") or "\\" in name or not name.isprintable():
        raise UserError(
            f"'{name}' is no name of a run",
            where="--run",
            todo="give a plain folder name, as those under runs/",
        )


def _new_folder(root: Path, task: str, config: Mapping[str, Any]) -> Path:
    stem = f"{task}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, number = root / stem, 1
    # Two runs may start in the same second: whoever makes the folder has it.
    while not _make(folder, config):
        number += 1
        folder = root / f"{stem}-{number}"
    return folder


def _make(folder: Path, config: Mapping[str, Any], exist_ok: bool = False) -> bool:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=exist_ok)
        text = run_config.dump(config)
        (folder / "config.yaml").write_text(text, encoding="utf-8")
    except OSError as error:
        if isinstance(error, FileExistsError) and folder.is_dir():
            return False
        raise UserError(
            f"cannot make the run folder '{folder}': {error.strerror}",
            where="trainer.default_root_dir",
            todo="choose a folder that can be written, with --trainer.default_root_dir",
        ) from error
    return True


def _differences(
    folder: Path, config: Mapping[str, Any], with_defaults: Completion
) -> list[tuple[str, Any, Any]]:
    saved: Mapping[str, Any] = run_config.read(folder)
    differing = run_config.differences(saved, config)
    if differing and run_config.lacks_keys(saved, config):
        return run_config.differences(with_defaults(saved), config)
    return differing


def _go_on(folder: Path, config: Mapping[str, Any], with_defaults: Completion) -> Run:
    differences = _differences(folder, config, with_defaults)
    if differences:
        key, old, new = differences[0]
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        raise UserError(
            f"{key} is {new!r}, but run '{folder.name}' was started with {old!r}{more}",
            where=str(folder / "config.yaml"),
            todo="go on with the run's own configuration, or start a new run under another name",
        )
    last = folder / "checkpoints" / "last.ckpt"
    if not last.is_file():
        return Run(folder, note=f"run '{folder.name}' has no checkpoint yet: it starts afresh")
    note = f"going on with run '{folder.name}'"
    try:
        return Run(folder, str(last), _steps(last), note)
    except UserError as damage:
        previous = last.with_name("previous.ckpt")
        try:
            steps = _steps(previous)
        except UserError:
            raise _no_way_on(damage, last.with_name("best.ckpt")) from damage
        note += f" from the checkpoint before its last one, since {damage.given}"
        return Run(folder, str(previous), steps, note)


def _steps(file: Path) -> int:
    return int(checkpoints.read(file)["global_step"])


def _no_way_on(damage: UserError, best: Path) -> UserError:
    todo = "the run cannot go on: start a new one under another name"
    if best.is_file():
        todo += f"; '{best}' is still there for `seqforge infer`"
    return UserError(damage.given, where=damage.where or "--resume", todo=todo)


def _folder_of(path: Path) -> Path:
    folder = path.parent.parent if path.is_file() else path
    if path.is_file() and path.name != "last.ckpt" and (folder / "config.yaml").is_file():
        raise UserError(
            f"'{path.name}' is a checkpoint to infer with: no run can go on from it",
            where="--resume",
            closest=str(path.with_name("last.ckpt")),
            todo=f"give the run's folder: --resume {folder}",
        )
    if (folder / "config.yaml").is_file():
        return folder
    siblings = [str(each) for each in path.parent.glob("*")] if path.parent.is_dir() else []
    others = [each for each in siblings if Path(each) != path]
    raise UserError(
        f"'{path}' is no run folder and no checkpoint of one",
        where="--resume",
        accepted=("auto", "no", "a run folder"),
        closest=closest_match(str(path), ["auto", *others]),
        todo="give a folder under runs/, or --resume auto",
    )


def _unfinished(
    root: Path, config: Mapping[str, Any], with_defaults: Completion
) -> list[tuple[Path, str]]:
    """Return unfinished runs, the newest first, each with the first key that differs, or ""."""
    folders = [file.parent for file in root.glob("*/config.yaml")] if root.is_dir() else []
    unfinished = [folder for folder in folders if not (folder / FINISHED).exists()]
    unfinished.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    found = []
    for folder in unfinished:
        try:
            differing = _differences(folder, config, with_defaults)
        except UserError:
            continue  # whatever that folder is, it is not the run that is looked for
        found.append((folder, differing[0][0] if differing else ""))
    return found
