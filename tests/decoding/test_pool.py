import torch

from seqforge.decoding.pool import empty_pool


def test_what_is_in_the_pool_changes_only_by_what_is_better() -> None:
    pool = empty_pool(2, 2, torch.device("cpu"))
    nothing = -torch.inf
    pool = pool.offer(
        torch.tensor([[-3.0, -2.0, -3.0], [nothing, -1.0, nothing]]), torch.full((2, 3), -6.0), 4
    )
    assert pool.scores.tolist() == [[-2.0, -3.0], [-1.0, nothing]]
    assert pool.slots[0].tolist() == [1, 0], "of equals the lower slot"
    later = pool.offer(torch.tensor([[-3.0, -2.5], [-1.0, -0.5]]), torch.full((2, 2), -9.0), 5)

    assert later.scores.tolist() == [[-2.0, -2.5], [-0.5, -1.0]]
    assert later.log_probs.tolist() == [[-6.0, -9.0], [-9.0, -6.0]]
    assert later.lengths.tolist() == [[4, 5], [5, 4]], "of equals the earlier one"
    assert later.slots.tolist() == [[1, 1], [1, 1]]
    nothing_better = later.offer(torch.full((2, 2), -2.5), torch.zeros(2, 2), 6)
    assert torch.equal(nothing_better.lengths[0], later.lengths[0])
