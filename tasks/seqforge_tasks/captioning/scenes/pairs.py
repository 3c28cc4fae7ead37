"""Which colour-shape pairs are kept out of training."""

from __future__ import annotations

import numpy as np

from seqforge_tasks.captioning.scenes.description import COLOURS, SHAPES, Pair

HELD_OUT = 4
"""A tenth of the 36 pairs, rounded up: they are in the test alone."""


def all_pairs() -> tuple[Pair, ...]:
    """Return the 36 pairs of 6 colours and 6 shapes."""
    return tuple(Pair(colour, shape) for colour in COLOURS for shape in SHAPES)


def held_out_pairs(seed: int) -> tuple[Pair, ...]:
    """Return the pairs that no training scene shows.

    They share no colour and no shape: so each colour is trained on at least 5 shapes, and each
    shape in at least 5 colours.
    """
    return _drawn(seed)[:HELD_OUT]


def validation_pairs(seed: int) -> tuple[Pair, ...]:
    """Return the pairs that validation shows and neither training nor, mostly, the test.

    They are of the colours and shapes that no pair of `held_out_pairs` has: whether what was learnt
    is put together anew is seen before the test, and checkpoints are chosen by it.
    """
    return _drawn(seed)[HELD_OUT:]


def _drawn(seed: int) -> tuple[Pair, ...]:
    generator = np.random.default_rng([seed, 0])
    colours = generator.permutation(list(COLOURS))
    shapes = generator.permutation(list(SHAPES))
    return tuple(Pair(str(c), str(s)) for c, s in zip(colours, shapes, strict=True))
