"""The network as a search wants it: against teacher forcing, exactly or rounded."""

from typing import Any

import pytest
import torch

from seqforge.encoders import LSTM
from seqforge.state import leaves
from seqforge_tasks.translation import Translation, TranslationOptions
from seqforge_tasks.translation.stepping import NetworkStepper
from tests.tasks.translation.networks import batch, sentences, task, text

EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-12}
SOURCES = sentences(4, seed=1)
TARGETS = sentences(4, seed=2)
PLAIN: dict[str, Any] = {"tied_embeddings": False, "label_smoothing": 0.0}
NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "writer": {"writer": True, "attention": "additive"},
    "feeding": {"writer": True, "input_feeding": True, "tied_embeddings": False},
    "adaptive": {"adaptive_cutoffs": [5, 8], **PLAIN, "feature_size": 16},
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def made(name: str) -> Translation:
    return task(LSTM, **NETWORKS[name])


@each_network
def test_the_step_is_the_teacher_forced_network(name: str) -> None:
    network, one = made(name).network, batch(SOURCES, TARGETS)
    state = network.encode(one.source, one.source_lengths)
    decoded = network.decode(one.inputs, state, one.lengths)
    step = NetworkStepper(network)
    state = step.begin(one.source, one.source_lengths)
    for t in range(one.inputs.shape[1]):
        log_probs, state, weights = step(one.inputs[:, t], state)
        real = t < one.lengths
        expected = network.logits(decoded.features[:, t]).log_softmax(1)
        torch.testing.assert_close(log_probs[real], expected[real], **EXACT)
        torch.testing.assert_close(weights[real], decoded.weights[real, t], **EXACT)
        torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(4).double())


@each_network
def test_rounded_scores_are_near_and_the_state_is_not_rounded(name: str) -> None:
    network, one = made(name).network.float(), batch(SOURCES, TARGETS)
    exact, rounded = NetworkStepper(network), NetworkStepper(network, "bf16")
    with torch.inference_mode():
        wide, state = (each.begin(one.source, one.source_lengths) for each in (exact, rounded))
        for t in range(one.inputs.shape[1]):
            expected, wide, _ = exact(one.inputs[:, t], wide)
            log_probs, state, weights = rounded(one.inputs[:, t], state)
            floats = [leaf for leaf in leaves(state) if leaf.is_floating_point()]
            assert {leaf.dtype for leaf in (log_probs, weights, *floats)} == {torch.float32}
            torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(4))
            written = expected > -1e6
            assert torch.equal(log_probs > -1e6, written), "what is never written stays so"
            difference = (log_probs - expected)[written].abs().max()
            # A dozen roundings of 2 ** -9 each, of weights and activations up to some 2.
            assert 0 < difference < 0.2
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@each_network
def test_translations_in_bf16_score_as_in_float32(name: str) -> None:
    built = made(name).float()
    lines = [text(each) for each in sentences(7, seed=3)]
    exact, rounded = (
        built.translator.translate(lines, TranslationOptions(n_best=3, precision=precision))
        for precision in ("fp32", "bf16")
    )
    for one, other in zip(exact, rounded, strict=True):
        best, found = one[0], other[0]
        assert found.score == pytest.approx(best.score, abs=0.2)
        assert found.attention.dtype == torch.float32
    assert [each[0].score for each in exact] != [each[0].score for each in rounded]
