"""The 256 bytes of UTF-8: a vocabulary to which no text is unknown."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray


class ByteVocabulary:
    """One number for each byte of a text's UTF-8 form; the number is the byte itself."""

    unit: ClassVar[str] = "byte"
    unknown: ClassVar[None] = None
    kind: ClassVar[str] = "bytes"

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> ByteVocabulary:  # noqa: ARG003 - all kinds alike
        """Rebuild a vocabulary from its `spec`."""
        return cls()

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary as plain values."""
        return {"kind": self.kind}

    def __len__(self) -> int:
        return 256

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the bytes of a text (N,); a lone surrogate becomes a question mark."""
        return np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8).astype(np.int64)

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of bytes; those that are not UTF-8 become U+FFFD."""
        # One by one: bytes() of an array would be its memory.
        return bytes(int(number) for number in numbers).decode("utf-8", "replace")

    def decoder(self) -> ByteDecoder:
        """Return a decoder that gives out a character once its last byte has come."""
        return ByteDecoder()

    def knows(self, text: str) -> bool:
        """Return True: every text has bytes."""
        return True

    def require_known(self, text: str) -> None:
        """Accept every text."""


class ByteDecoder:
    """Turns bytes into text as they come; what is not UTF-8 becomes U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, number: int) -> str:
        """Return the text that is certain after this byte; empty inside a character."""
        return self._decoder.decode(bytes([number]))

    def close(self) -> str:
        """Return U+FFFD where the bytes end inside a character, else nothing."""
        return self._decoder.decode(b"", final=True)
