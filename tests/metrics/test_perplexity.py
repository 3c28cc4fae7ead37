import math

from seqforge.metrics import perplexity


def test_it_is_the_number_of_equally_likely_choices() -> None:
    assert math.isclose(perplexity(math.log(50)), 50)


def test_a_loss_beyond_all_numbers_is_infinite() -> None:
    assert perplexity(1e6) == math.inf
