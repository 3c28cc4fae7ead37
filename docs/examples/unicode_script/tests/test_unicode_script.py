from functools import partial

from seqforge.testing import check_task

from unicode_script import UnicodeNames, UnicodeScript
from unicode_script.data import SCRIPTS, masked_name


def test_contract() -> None:
    data = partial(UnicodeNames, batch_size=8, most=10)

    check_task(partial(UnicodeScript, embedding_size=8), data, inputs=["щ", "small letter gamma"])


def test_no_name_gives_its_script_away_or_is_on_both_sides() -> None:
    data = UnicodeNames()
    data.setup("fit")

    sides = [
        {data.vocabulary.decode(tokens) for tokens, _ in part}
        for part in (data.train, data.held_out)
    ]

    assert not sides[0] & sides[1]
    assert not set(SCRIPTS) & {word for side in sides for name in side for word in name.split()}
    assert 0.15 < len(data.held_out) / (len(data.train) + len(data.held_out)) < 0.25


def test_masked_names() -> None:
    assert masked_name("щ") == "SMALL LETTER SHCHA"
    assert masked_name("\n") == ""
