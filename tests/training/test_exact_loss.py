import pytest
import torch
from torch import nn

from seqforge.task import Term
from seqforge.training import LossSums
from seqforge.training.exact_loss import gradient_norm, objective, scale_gradients


def _terms(*values: tuple[float, int, float]) -> dict[str, Term]:
    return {
        name: Term(torch.tensor(total), torch.tensor(count), weight)
        for name, (total, count, weight) in zip("abc", values, strict=False)
    }


def test_means_are_sums_over_counts_not_means_of_means() -> None:
    sums = LossSums()
    sums.add(_terms((6.0, 2, 1.0)))
    sums.add(_terms((1.0, 5, 1.0)))

    assert sums.close() == ({"loss": 1.0}, 7.0)


def test_each_term_has_its_own_mean_and_the_objective_the_first_count() -> None:
    sums = LossSums()
    sums.add(_terms((6.0, 2, 1.0), (8.0, 4, 0.5)))
    means, count = sums.close()

    assert means == {"loss": (6.0 + 0.5 * 8.0) / 2, "a": 3.0, "b": 2.0}
    assert count == 2.0


def test_fillers_count_nothing() -> None:
    sums = LossSums()
    sums.add(_terms((6.0, 2, 1.0)))
    sums.add(_terms((100.0, 9, 1.0)), share=0.0)

    assert sums.close() == ({"loss": 3.0}, 2.0)
    assert objective(_terms((6.0, 2, 1.0)), share=0.0).item() == 0.0


def test_closing_begins_anew() -> None:
    sums = LossSums()
    sums.add(_terms((6.0, 2, 1.0)))
    sums.close()

    with pytest.raises(RuntimeError, match="no batch"):
        sums.close()


def test_many_small_batches_are_summed_in_double_precision() -> None:
    sums = LossSums()
    for _ in range(10_000):
        sums.add(_terms((0.1, 1, 1.0)))

    assert sums.close()[0]["loss"] == pytest.approx(torch.tensor(0.1).item(), rel=1e-12)


def test_terms_must_stay_the_same() -> None:
    sums = LossSums()
    sums.add(_terms((6.0, 2, 1.0)))

    with pytest.raises(ValueError, match=r"\['a', 'b'\] came after \['a'\]"):
        sums.add(_terms((6.0, 2, 1.0), (1.0, 1, 1.0)))


def test_objective_weighs_totals() -> None:
    assert objective(_terms((6.0, 2, 2.0), (8.0, 4, 0.5))).item() == 16.0


def test_gradients_are_scaled_and_measured_together() -> None:
    parameters = [
        nn.Parameter(torch.ones(2)),
        nn.Parameter(torch.ones(1)),
        nn.Parameter(torch.ones(1)),
    ]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    scale_gradients(parameters, 2.0)

    assert gradient_norm(parameters).item() == 10.0
    assert parameters[2].grad is None
    assert gradient_norm([parameters[2]]).item() == 0.0


def test_the_name_of_the_sum_is_taken() -> None:
    term = Term(torch.tensor(2.0), torch.tensor(2))
    with pytest.raises(ValueError, match="none may be called 'loss'"):
        LossSums().add({"loss": term, "other": term})
    with pytest.raises(ValueError, match="none may be called 'loss'"):
        LossSums().add({"other": term, "loss": term})
