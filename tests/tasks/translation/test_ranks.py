"""What an evaluation finds does not depend on the number of processes."""

import json
from pathlib import Path

import pytest

from tests.distributed import launches
from tests.tasks.translation import evaluate_ranks


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
    for name, pairs in evaluate_ranks.CASES.items():
        expected = evaluate_ranks.measures(pairs)
        assert first[name] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert expected["chrf"] > 0
        assert set(expected) == {"loss", "bleu", "chrf", "exact_match", "cut", "perplexity"}
