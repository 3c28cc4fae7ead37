"""Which frames of a clip are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqforge.errors import UserError

MOST = 4096


@dataclass(frozen=True)
class FrameSampling:
    """Takes some frames of a clip, the same ones in training as in inference.

    Without a rate the frames are spread evenly: of `count` equal stretches of the clip the middle
    of each; a clip of fewer frames gives all of them. With a rate frames are taken at even times
    from the start on, by the clip's mean rate; where these would be more than `count`, they are
    spread evenly instead, so that the end of a long clip is seen too.

    Args:
        count: `F`, frames at most.
        rate: Frames a second; None: as many as `count` says.

    Raises:
        UserError: A number is out of range.
    """

    count: int = 16
    rate: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST:
            raise UserError(
                f"{self.count} frames cannot be taken of a clip",
                where="data.frames",
                accepted=[f"1 to {MOST}"],
                todo="give a number such as 16",
            )
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise UserError(
                f"frames cannot be taken at {self.rate} a second",
                where="data.frame_rate",
                todo="give a number above 0, or null to spread them evenly",
            )

    def places(self, total: int, fps: float | None) -> tuple[int, ...]:
        """Return which frames are taken, ascending.

        Args:
            total: Frames of the clip, at least 1.
            fps: Frames of the clip a second; it matters only with a rate.

        Raises:
            ValueError: There is a rate, but nothing is known of the clip's.
        """
        if self.rate is not None:
            if fps is None:
                raise ValueError("frames at a rate are taken of clips that have one")
            # A frame lasts until the next one: the one that is seen at a time is the last before.
            step = max(1.0, fps / self.rate)
            taken = int((total - 1) / step + 1e-9) + 1
            if taken <= self.count:
                return tuple(min(total - 1, int(n * step + 1e-9)) for n in range(taken))
        taken = min(total, self.count)
        return tuple((2 * n + 1) * total // (2 * taken) for n in range(taken))

    def spec(self) -> dict[str, Any]:
        """Return the sampling as plain values, for checkpoints and cache keys."""
        return {"count": self.count, "rate": self.rate}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> FrameSampling:
        """Make the sampling that `spec` described.

        Raises:
            UserError: As the constructor says.
        """
        return cls(count=spec["count"], rate=spec["rate"])
