from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.data import DocumentLanes, TokenChunk, documents


@st.composite
def _lanes(draw: st.DrawFn) -> tuple[DocumentLanes, list[int]]:
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=8).filter(lambda s: sum(s) > 1))
    starts = [0, *np.cumsum(sizes)[:-1].tolist()]
    tokens = np.arange(1, sum(sizes) + 1)
    lanes = DocumentLanes(
        tokens, np.array(starts), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    )
    return lanes, starts


def _all(lanes: DocumentLanes) -> list[list[TokenChunk]]:
    chunks = lanes.plan.chunks
    return [
        [lanes[lane * chunks + chunk] for chunk in range(chunks)] for lane in range(lanes.lanes)
    ]


@given(_lanes())
def test_every_token_but_the_first_is_a_target_once(case: tuple[DocumentLanes, list[int]]) -> None:
    lanes, _ = case
    targets = [
        target
        for row in _all(lanes)
        for chunk in row
        for target in chunk.targets[: chunk.length].tolist()
    ]
    assert targets == list(range(2, len(lanes.tokens) + 1))


@given(_lanes())
def test_no_chunk_reaches_into_the_next_document(case: tuple[DocumentLanes, list[int]]) -> None:
    lanes, starts = case
    owner = np.searchsorted(starts, np.arange(len(lanes.tokens)), side="right")
    for row in _all(lanes):
        for chunk in row:
            targets = chunk.targets[: chunk.length].numpy() - 1
            assert len(set(owner[targets].tolist())) <= 1
            assert (chunk.inputs[: chunk.length].numpy() == targets).all()
            assert not chunk.inputs[chunk.length :].any()


@given(_lanes())
def test_the_state_starts_afresh_with_each_document_and_lane_only(
    case: tuple[DocumentLanes, list[int]],
) -> None:
    lanes, starts = case
    for row in _all(lanes):
        for place, chunk in enumerate(row):
            first = int(chunk.targets[0]) - 1 if chunk.length else 0
            begins = first in starts or first == 1
            assert chunk.start == (begins or place == 0 or chunk.length == 0)


def test_padding_is_counted() -> None:
    lanes = DocumentLanes(np.arange(6), np.array([0, 4]), lanes=1, seq_len=4)
    # Steps 0-2 belong to the first document, 3-4 to the second: two chunks of four.
    assert lanes.padding() == pytest.approx(1 - 5 / 8)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=20).filter(lambda sizes: sum(sizes) > 1),
    group=st.integers(1, 4),
    seq_len=st.integers(1, 5),
)
def test_chunks_do_not_depend_on_how_many_documents_are_read_at_a_time(
    sizes: list[int], group: int, seq_len: int
) -> None:
    edges = np.append(0, np.cumsum(sizes))
    tokens = np.arange(sum(sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "GROUP", group)
        patch.setattr(documents, "READ", 2 * group)
        lanes = DocumentLanes(tokens, edges[:-1], 1, seq_len)
        found = [chunk.targets[: chunk.length].tolist() for chunk in _all(lanes)[0]]

    expected = []
    for first, last in pairwise([1, *edges[1:].tolist()]):
        expected += [list(range(at, min(at + seq_len, last))) for at in range(first, last, seq_len)]
    assert found == expected


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        DocumentLanes(np.arange(1), np.array([0]), 1, 4)
    for starts in ([0, 3, 3], [1, 3], [0, 5], []):
        with pytest.raises(ValueError, match="ascending"):
            DocumentLanes(np.arange(5), np.array(starts), 1, 4)
