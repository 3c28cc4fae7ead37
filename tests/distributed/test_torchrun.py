"""torchrun: one run folder, restarts after a crash, signals to any process of the family."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.distributed import launches

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(150)]

BATCHES = 30
"""Batches of the whole run."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights of a run on one process that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    launches.write_inputs(folder)
    command = [*launches.SEQFORGE, *launches.fit("one")]
    ended = launches.run(command, folder, launches.environment(folder, "one"))
    assert ended.code == 0, ended.err
    return launches.weights(folder, "one")


def test_a_killed_worker_comes_back(tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    launches.write_inputs(tmp_path)
    options = ["--trainer.devices", "2", "--trainer.default_root_dir", "runs"]
    arguments = ["fit", "--config", "run.yaml", "--resume", "auto", *options]
    command = [*_torchrun("--max-restarts", "1"), *arguments]
    ended = launches.run(command, tmp_path, launches.environment(tmp_path, "killed", "9 1 SIGKILL"))

    assert ended.code == 0, ended.err[-3000:]
    assert list(tmp_path.glob("killed.seen.struck-*"))
    (folder,) = (file.parent for file in (tmp_path / "runs").glob("*/config.yaml"))
    assert "no unfinished run of this configuration: starting a new one" in ended.out
    assert f"going on with run '{folder.name}'" in ended.out
    launches.require_same(launches.weights(tmp_path, folder.name), undisturbed)
    seen = launches.seen(tmp_path, "killed")
    assert sorted(seen) == list(range(BATCHES))


def test_signals_end_all_and_lose_nothing(
    tmp_path: Path, undisturbed: dict[str, torch.Tensor]
) -> None:
    launches.write_inputs(tmp_path)
    for strike, said in (
        ("5 1 SIGTERM", "a signal to another process"),
        ("12 launcher SIGTERM", "SIGTERM"),
        # So does a Ctrl-C: the workers are in sessions of their own.
        ("19 launcher SIGINT", "SIGINT"),
    ):
        ended = _fit(tmp_path, strike)
        assert ended.code == 1, f"{strike}: {ended}"  # torchrun's word for anything
        assert f"stopped by {said}" in ended.out, f"{strike}: {ended}"
        assert list(tmp_path.glob(f"signals.seen.struck-{strike.split()[0]}-*")), strike
    ended = _fit(tmp_path, "")
    assert ended.code == 0, ended.err[-3000:]

    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {"cache", "signals"}
    launches.require_same(launches.weights(tmp_path, "signals"), undisturbed)
    lines = {
        (rank, line)
        for rank in "01"
        for line in (tmp_path / f"signals.seen.{rank}").read_text().splitlines()
    }
    assert len(lines) == 2 * BATCHES  # each batch was always the same
    for rank in "01":
        # Stopped at a step that was saved: no batch was taken twice.
        assert len((tmp_path / f"signals.seen.{rank}").read_text().splitlines()) == BATCHES


def _torchrun(*options: str) -> list[str]:
    # Without the dashes torchrun takes --run for an abbreviation of its own --run-path.
    return [*launches.TORCHRUN, "--nproc-per-node", "2", *options, "-m", "--", "seqforge"]


def _fit(folder: Path, strike: str) -> launches.Ended:
    command = [*_torchrun(), *launches.fit("signals", "--trainer.devices", "2")]
    return launches.run(command, folder, launches.environment(folder, "signals", strike))
