"""Two nodes, each a network namespace of its own with an address of its own, train one run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distributed import launches

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(150)]

BATCHES = 30


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@pytest.fixture
def nodes() -> Iterator[tuple[tuple[str, str], ...]]:
    """Names and addresses of two namespaces that are joined by a cable of their own."""
    if shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("two nodes need root and the command `ip` (iproute2)")
    number = os.getpid()
    names = [f"seqforge{number}{end}" for end in "ab"]
    addresses = [f"10.{77 + number % 100}.0.{end}" for end in (1, 2)]
    cables = [f"sf{number}{end}" for end in "ab"]  # at most 15 characters
    try:
        try:
            for name in names:
                _ip("netns", "add", name)
            _ip("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        for name, address, cable in zip(names, addresses, cables, strict=True):
            _ip("link", "set", cable, "netns", name)
            inside = ("netns", "exec", name, "ip")
            _ip(*inside, "link", "set", cable, "name", "node0")
            _ip(*inside, "addr", "add", f"{address}/24", "dev", "node0")
            _ip(*inside, "link", "set", "node0", "up")
            _ip(*inside, "link", "set", "lo", "up")
        yield tuple(zip(names, addresses, strict=True))
    finally:
        for name in names:  # a cable goes with its namespace
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        for cable in cables:
            subprocess.run(["ip", "link", "del", cable], check=False, capture_output=True)


def test_two_nodes_agree_and_come_back(tmp_path: Path, nodes: tuple[tuple[str, str], ...]) -> None:
    launches.write_inputs(tmp_path)
    alone = launches.run(
        [*launches.SEQFORGE, *launches.fit("alone")],
        tmp_path,
        launches.environment(tmp_path, "alone"),
    )
    assert alone.code == 0, alone.err
    first = nodes[0][1]
    processes = []
    for name, address in nodes:
        command = [*("ip", "netns", "exec", name), *launches.TORCHRUN, "--nnodes", "2"]
        command += ["--nproc-per-node", "1", "--max-restarts", "1", "--rdzv-backend", "c10d"]
        command += ["--rdzv-endpoint", f"{first}:29400", "--rdzv-id", "pair"]
        # The first one is told so: its name does not lead to its address here.
        command += ["--rdzv-conf", f"is_host={int(address == first)}"]
        command += ["--local-addr", address, "-m", "--", "seqforge", *launches.fit("pair")]
        command += ["--trainer.num_nodes", "2"]
        variables = launches.environment(tmp_path, "pair", "9 1 SIGKILL")
        variables["GLOO_SOCKET_IFNAME"] = "node0"
        processes.append(launches.start(command, tmp_path, variables))
    ended = [launches.finish(process, variables["SEEN"]) for process in processes]

    for node in ended:
        assert node.code == 0, [each.err[-3000:] for each in ended]
    assert list(tmp_path.glob("pair.seen.struck-*"))
    out = "".join(node.out for node in ended)
    assert "processes: 2" in out
    assert "going on with run 'pair'" in out
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {"alone", "cache", "pair"}
    seen = launches.seen(tmp_path, "pair")
    assert sorted(seen) == list(range(BATCHES))
    assert all([world for world, _ in ranks] == [2, 2] for ranks in seen.values())
    # Every step is made of all ranks' gradients: other weights on one node would show in these.
    launches.require_same(launches.weights(tmp_path, "pair"), launches.weights(tmp_path, "alone"))
