"""A run's configuration: as YAML, and what of it a resumed run may change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from seqforge.errors import UserError

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
    "trainer.enable_model_summary",
    "trainer.profiler",
    "model.optimizer.init_args.lr",
    "data.init_args.num_workers",
)
"""What a resumed run may change: how long, where and on what it runs, not what it learns."""

LIMITS = ("max_epochs", "max_steps", "max_time")
"""The trainer's options that say how long a run goes."""


def read(folder: Path) -> dict[str, Any]:
    """Read the configuration with which a run was started.

    Raises:
        UserError: It cannot be read.
    """
    file = folder / "config.yaml"
    try:
        saved = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"the configuration of run '{folder.name}' cannot be read: {error}",
            where=str(file),
            todo="start a new run",
        ) from error
    return saved if isinstance(saved, dict) else {}


def dump(config: Mapping[str, Any]) -> str:
    """Return a configuration as YAML, keys in their own order."""
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List what differs and may not: dotted key, old value, new value."""
    before, after = flatten(old), flatten(new)
    return [
        (key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
        and not any(key == free or key.startswith(f"{free}.") for free in FREE_KEYS)
    ]


def lacks_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a configuration has keys that another one does not have."""
    return not set(flatten(new)) <= set(flatten(old))


def limits(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how long a run goes, of a resolved configuration."""
    return {name: config.get("trainer", {}).get(name) for name in LIMITS}


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
