"""The seed of the run, where nothing else was given."""

from __future__ import annotations

import os


def run_seed() -> int:
    """Return the seed given to Lightning's `seed_everything` (the key of that name); 0 before."""
    return int(os.environ.get("PL_GLOBAL_SEED", "0"))
