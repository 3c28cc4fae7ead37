"""Random numbers belong to windows: neither neighbours nor padding nor the horizon change them."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge_tasks.forecasting.modes.chance import PathChance


def windows(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 6, 2, generator=torch.Generator().manual_seed(seed))


@given(rows=st.integers(1, 5), padding=st.integers(0, 4), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_a_window_has_its_numbers_wherever_it_stands(rows: int, padding: int, seed: int) -> None:
    context = windows(rows, seed)
    padded = torch.cat([context, torch.zeros(rows, padding, 2) * -1], dim=1)
    together, moved = PathChance(context, 3), PathChance(padded.flip(0), 3)
    alone = [PathChance(context[row : row + 1], 3) for row in range(rows)]
    for _ in range(3):
        drawn = together.draw()
        assert drawn.shape == (2, rows * 3, 2)
        assert torch.equal(torch.cat([each.draw() for each in alone], dim=1), drawn)
        swapped = moved.draw().unflatten(1, (rows, 3)).flip(1).flatten(1, 2)
        assert torch.equal(swapped, drawn)


def test_other_windows_steps_and_paths_have_other_numbers() -> None:
    context = windows(2)
    context[1] = context[0]
    context[1, 3, 1] += 1e-5
    chance = PathChance(context, 50)
    drawn = torch.stack([chance.draw() for _ in range(100)])

    assert len(drawn.unique()) > 0.99 * drawn.numel()
    assert abs(float(drawn.mean()) - 0.5) < 0.01
    first, second = (drawn[:, :, part].flatten() for part in (slice(0, 50), slice(50, 100)))
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.03
