"""What an evaluation finds does not depend on the number of processes, nor on the batches."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.distributed import launches
from tests.tasks.forecasting import evaluate_ranks

# Rows that lie elsewhere in a batch are multiplied in another order.
NEAR: dict[str, Any] = {"rel": 2e-5, "abs": 1e-5}


@pytest.mark.distributed
@pytest.mark.timeout(240)
def test_two_ranks_find_what_one_finds(tmp_path: Path) -> None:
    script = Path(evaluate_ranks.__file__)
    command = [*launches.TORCHRUN, "--nproc-per-node", "2", str(script), str(tmp_path)]
    variables = launches.environment(tmp_path, "ranks") | {"SEQFORGE_PLUGINS": ""}
    ended = launches.run(command, tmp_path, variables, patience=200)
    assert ended.code == 0, ended.err[-3000:]
    assert "before the ``update``" not in ended.err

    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    for name in evaluate_ranks.CASES:
        _require_near(first[name], evaluate_ranks.measures(name))


@pytest.mark.parametrize("name", evaluate_ranks.CASES)
def test_one_window_at_a_time_finds_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = evaluate_ranks.measures(name)
    monkeypatch.setattr(evaluate_ranks, "BATCH", 1)
    _require_near(evaluate_ranks.measures(name), expected)


def _require_near(found: list[Any], expected: list[Any]) -> None:
    for number in (0, 1):
        assert {"loss", "mae", "mase", "owa", "crps", "linear_mae"} <= set(expected[number])
        assert found[number] == pytest.approx(expected[number], **NEAR)
    for one, other in zip(found[2], expected[2], strict=True):
        assert one == pytest.approx(other, **NEAR)
