"""A store of their own for torchrun's processes, so that they can meet again after a restart.

torchrun keeps one store over all restarts. torch 2.13 reads from it the addresses that the killed
processes have left, and then fails or waits for ever, unless every process happens to write its
new address in time. The number of restarts does not tell attempts apart either: nodes count them
each for themselves. So at every start the first process opens a store of its own and leaves
its port where the old one was; a port on which nobody listens is one of a killed process.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from seqforge.errors import UserError

if TYPE_CHECKING:
    from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]

PORT_KEY = "seqforge/port"
"""Where torchrun's store holds the port of the first process's own one."""

PATIENCE = 300.0
"""Seconds for which processes wait for the first one."""

_own: list[TCPStore] = []  # kept: with the first process's object its store would go


def is_launched() -> bool:
    """Return whether torchrun has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ


def own_store() -> Store:
    """Return the store of this attempt's processes, and let torch meet there too.

    Raises:
        UserError: The first process does not answer.
    """
    if not _own:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
            port = _agree(address, port)
            os.environ["MASTER_PORT"] = str(port)
            os.environ["TORCHELASTIC_USE_AGENT_STORE"] = "False"
        if not _own:
            _own.append(_store(address, port, serve=os.environ["RANK"] == "0"))
    return _own[0]


def _agree(address: str, port: int) -> int:
    """Return the port of the first process's own store, which is opened here if that is us."""
    torchruns = _store(address, port, serve=False)
    if os.environ["RANK"] == "0":
        _own.append(_store(address, 0, serve=True))
        torchruns.set(PORT_KEY, str(_own[0].port))
        return _own[0].port
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if torchruns.check([PORT_KEY]):
            port = int(torchruns.get(PORT_KEY))
            if _listens(address, port):
                return port
        time.sleep(0.1)
    raise UserError(
        f"the first process did not answer within {PATIENCE:.0f} s",
        where=address,
        todo="look at its output",
    )


def _store(address: str, port: int, serve: bool) -> TCPStore:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    # Shared within the process: torch opens its own store at the same port.
    return TCPStore(
        address,
        port,
        is_master=serve,
        timeout=timedelta(seconds=PATIENCE),
        wait_for_workers=False,
        multi_tenant=True,
    )


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5.0).close()
    except OSError:
        return False
    return True
