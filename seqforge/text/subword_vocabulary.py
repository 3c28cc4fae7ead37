"""Subwords: the pieces of a sentencepiece model."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor, set_random_generator_seed

from seqforge.errors import UserError
from seqforge.text.character_vocabulary import UNKNOWN
from seqforge.text.sentence_vocabulary import BEGIN, END, MARKS, PADDING, UNKNOWN_NUMBER

SPACE = "\u2581"
"""How a model writes a space."""


class SubwordVocabulary:
    """One number for each piece of a sentencepiece model (Kudo & Richardson 2018).

    A model of `train_subwords` leaves texts as they are: what was encoded is decoded to the same
    text, but for unknown characters, and the sign U+2581, which stands for a space.

    Args:
        model: The model file's bytes; its marks have the numbers 0 to 3, see `MARKS`.

    Raises:
        ValueError: The model numbers its marks otherwise.
    """

    unit: ClassVar[str] = "piece"
    kind: ClassVar[str] = "subwords"
    padding: ClassVar[int] = PADDING
    unknown: ClassVar[int] = UNKNOWN_NUMBER
    begin: ClassVar[int] = BEGIN
    end: ClassVar[int] = END

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._processor = SentencePieceProcessor(model_proto=model)
        ids = [getattr(self._processor, f"{name}_id")() for name in ("pad", "unk", "bos", "eos")]
        if ids != [PADDING, UNKNOWN_NUMBER, BEGIN, END]:
            raise ValueError(f"the numbers of {', '.join(MARKS)} are {ids}, not [0, 1, 2, 3]")

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> SubwordVocabulary:
        """Rebuild a vocabulary from its `spec`."""
        return cls(base64.b64decode(spec["model"]))

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary as plain values: the model's bytes in base64."""
        return {"kind": self.kind, "model": base64.b64encode(self.model).decode("ascii")}

    def __len__(self) -> int:
        return len(self._processor)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of a text (N,); each run of unknown characters becomes one 1."""
        return np.asarray(self._processor.encode(_encodable(text)), dtype=np.int64)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of many texts, on all cores."""
        numbers: list[list[int]] = self._processor.encode([_encodable(text) for text in texts])
        return numbers

    def sample(self, text: str, seed: int, alpha: float) -> NDArray[np.int64]:
        """Return the numbers of a text in a segmentation drawn at random.

        A unigram model draws from all segmentations by their probabilities to the power `alpha`
        (subword regularisation, Kudo 2018); a BPE model leaves out each merge with probability
        `alpha` (BPE-dropout, Provilkov et al. 2020).

        Args:
            text: The text.
            seed: What is drawn from, 0 to 2^32 - 1: the same seed gives the same segmentation.
            alpha: As above; 0.1 to 0.5 are usual for unigram, 0.1 for BPE.
        """
        # The library has one generator for a thread; it is set anew for each text, which costs
        # little, so that nothing depends on what was drawn before or by whom.
        set_random_generator_seed(seed)
        numbers = self._processor.encode(
            _encodable(text), enable_sampling=True, alpha=alpha, nbest_size=-1
        )
        return np.asarray(numbers, dtype=np.int64)

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers, marks left out; unknown ones become U+FFFD."""
        decoder = self.decoder()
        return "".join(map(decoder.feed, numbers)) + decoder.close()

    def decoder(self) -> SubwordDecoder:
        """Return a decoder that gives out a character once its last byte has come."""
        return SubwordDecoder(self._signs, self._bytes)

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """Return the pieces; a space before a word is kept, a space alone shown as U+2581."""
        shown = [self._names[number].replace(SPACE, " ") for number in map(int, numbers)]
        return [each if each.strip(" ") else each.replace(" ", SPACE) for each in shown]

    def knows(self, text: str) -> bool:
        """Return whether every character of a text is in the vocabulary."""
        return self.unknown not in self.encode(text)

    def require_known(self, text: str) -> None:
        """Refuse a text with characters that are not in the vocabulary.

        Raises:
            UserError: Names the first such character and its place.
        """
        if self.knows(text):
            return
        for place, sign in enumerate(text):
            if not self.knows(sign):
                raise UserError(
                    f"the character {sign!r} at place {place} was not in the training text",
                    todo="leave it out, or let unknown characters be replaced",
                )

    @cached_property
    def _names(self) -> list[str]:
        return [str(self._processor.id_to_piece(number)) for number in range(len(self))]

    @cached_property
    def _signs(self) -> list[str]:
        signs = [name.replace(SPACE, " ") for name in self._names]
        return ["", UNKNOWN, "", "", *signs[len(MARKS) :]]

    @cached_property
    def _bytes(self) -> dict[int, bytes]:
        """The byte that a piece of byte fallback, such as <0x41>, stands for."""
        return {
            number: bytes([int(name[1:-1], 16)])
            for number, name in enumerate(self._names)
            if self._processor.is_byte(number)
        }


class SubwordDecoder:
    """Turns pieces into text as they come.

    Args:
        signs: The text of each number, with a space where a word begins.
        values: The byte of each number that stands for one.
    """

    def __init__(self, signs: Sequence[str], values: Mapping[int, bytes]) -> None:
        self._signs = signs
        self._values = values
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._first = True

    def feed(self, number: int) -> str:
        """Return the text that is certain after this number; empty inside a character."""
        number = int(number)
        if (value := self._values.get(number)) is not None:
            text = self._decoder.decode(value)
            self._first = False
            return text
        sign = self._signs[number]
        if not sign:
            return ""
        if self._first:
            # A model puts one space before every text.
            self._first, sign = False, sign.removeprefix(" ")
        return self._decoder.decode(b"", final=True) + sign

    def close(self) -> str:
        """Return U+FFFD where the numbers end inside a character, else nothing."""
        return self._decoder.decode(b"", final=True)


def _encodable(text: str) -> str:
    """Return a text without lone surrogates, which have no UTF-8 form."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
