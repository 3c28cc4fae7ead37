"""The one transform between a picture and what an image encoder reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seqforge.errors import UserError, closest_match

Fit = Literal["crop", "squash", "pad"]

LARGEST = 4096
GREY = (127, 127, 127)


@dataclass(frozen=True)
class ImageTransform:
    """Brings pictures to one size, in training and in inference alike, bit for bit.

    "crop" takes the largest square in the middle and scales it; "squash" scales both sides to the
    size, whatever the shape was; "pad" scales the longer side and leaves grey margins. Scaling is
    bicubic, over all pixels that a new one covers; a picture that has the size is left as it is.

    Args:
        size: `S`, pixels a side.
        fit: What happens to pictures that are no squares.

    Raises:
        UserError: There is no such fit, or the size is not between 1 and 4096.
    """

    size: int
    fit: Fit = "crop"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST:
            raise UserError(
                f"pictures cannot be {self.size} pixels wide and high",
                where="data.image_size",
                accepted=[f"1 to {LARGEST}"],
                todo="give a size such as 160 or 224",
            )
        kinds = get_args(Fit)
        if self.fit not in kinds:
            raise UserError(
                f"pictures cannot be made to fit by '{self.fit}'",
                where="data.fit",
                accepted=kinds,
                closest=closest_match(str(self.fit), kinds),
                todo="give one of these",
            )

    def __call__(self, picture: Image.Image) -> Tensor:
        """Return the picture as `(3, S, S)` uint8.

        Args:
            picture: RGB, as `read_image` returns it.
        """
        fitted = getattr(self, f"_{self.fit}")(picture)
        return torch.from_numpy(np.array(fitted)).permute(2, 0, 1).contiguous()

    def spec(self) -> dict[str, Any]:
        """Return the transform as plain values, for checkpoints and cache keys."""
        return {"size": self.size, "fit": self.fit}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> ImageTransform:
        """Make the transform that `spec` described.

        Raises:
            UserError: As the constructor says.
        """
        return cls(size=spec["size"], fit=spec["fit"])

    def _crop(self, picture: Image.Image) -> Image.Image:
        # The square is taken first: scaling a strip of 10000 x 1 pixels would fill the memory.
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        return self._scaled(picture.crop((left, top, left + side, top + side)))

    def _squash(self, picture: Image.Image) -> Image.Image:
        return self._scaled(picture)

    def _pad(self, picture: Image.Image) -> Image.Image:
        longer = max(picture.size)
        width, height = (max(1, round(side * self.size / longer)) for side in picture.size)
        scaled = self._scaled(picture, (width, height))
        if scaled.size == (self.size, self.size):
            return scaled
        whole = Image.new("RGB", (self.size, self.size), GREY)
        whole.paste(scaled, ((self.size - width) // 2, (self.size - height) // 2))
        return whole

    def _scaled(self, picture: Image.Image, size: tuple[int, int] | None = None) -> Image.Image:
        target = (self.size, self.size) if size is None else size
        if picture.size == target:
            return picture
        return picture.resize(target, Image.Resampling.BICUBIC)
