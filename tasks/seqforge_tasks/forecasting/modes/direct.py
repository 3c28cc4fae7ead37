"""Direct forecasting: the whole horizon from the encoder's last output."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqforge.encoders import EncoderFactory
from seqforge.layers import Dropout, final_output, last_valid
from seqforge.state import State
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.modes.base import Mode, step_inputs
from seqforge_tasks.forecasting.window import Sizes, Window

WIDTH = 32
"""Features of the context beside each step's known covariates."""


class Direct(Mode):
    """All steps of the horizon at once, from the last output of the encoder.

    The last step's inputs reach the horizon straight as well, by a linear map, so that the scale of
    what was last seen is not lost in the encoder (the autoregressive part of LSTNet, Lai et al.
    2018, for one step).

    With covariates that are known in advance, each step also gets a map of its own covariates and
    of what the context says, as the local decoder of MQ-RNN (Wen et al. 2017) has it. With
    `every_step` every step of the context is a cut-off of its own in training (their "forking
    sequences").

    Args:
        encoders: Make the encoder.
        sizes: Of the data and the head.
        dropout: Probability that a feature is dropped before the head.
        every_step: Whether every step of the context is trained; needs a causal encoder.
    """

    dense: ClassVar[bool] = True

    def __init__(
        self, encoders: EncoderFactory, sizes: Sizes, dropout: float, every_step: bool
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.dropout = Dropout(dropout)
        inputs = sizes.target + sizes.past + sizes.known + sizes.static
        self.encoder = encoders(inputs, causal=True if every_step else None)
        self.output = nn.Linear(
            self.encoder.output_size, sizes.horizon * sizes.channels * sizes.size
        )
        self.straight = nn.Linear(inputs, self.output.out_features, bias=False)
        self.local = Local(self.encoder.output_size, sizes) if sizes.known else None

    def taught(self, window: Window, target: Tensor, observed: Tensor) -> Tensor:
        """Return the head's numbers `(B, H, K, size)`."""
        return self._numbers(window)

    def forecast(self, window: Window, head: Head, horizon: int) -> Predictive:
        """Forecast the trained horizon."""
        predictive: Predictive = head(self._numbers(window), *window.frame)
        return predictive

    def start(self, batch_size: int) -> State:
        """Return the encoder's first state."""
        return self.encoder.start(batch_size)

    def every_step(self, window: Window, state: State) -> tuple[Tensor, State]:
        """Return the head's numbers at every step `(B, L, H, K, size)`, and the state."""
        inputs = self._inputs(window)
        outputs, state = self.encoder(inputs, state, window.lengths)
        return self._shaped(self.output(self.dropout(outputs)) + self.straight(inputs)), state

    def _numbers(self, window: Window) -> Tensor:
        inputs = self._inputs(window)
        outputs, _ = self.encoder(inputs, None, window.lengths)
        last = self.dropout(final_output(outputs, window.lengths, self.encoder.causal))  # (B, O)
        seen = inputs[:, -1] if window.lengths is None else last_valid(inputs, window.lengths)
        raw = self._shaped(self.output(last) + self.straight(seen))
        return raw if self.local is None else raw + self.local(last, window.known_future)

    def _inputs(self, window: Window) -> Tensor:
        return step_inputs(window.values, window.past, window.known, static=window.static)

    def _shaped(self, numbers: Tensor) -> Tensor:
        sizes = self.sizes
        shaped: Tensor = numbers.unflatten(-1, (sizes.horizon, sizes.channels, sizes.size))
        return shaped


class Local(nn.Module):
    """What each step's known covariates add, seen in the light of the context.

    Args:
        features: `O`, of the context.
        sizes: Of the data and the head.
    """

    def __init__(self, features: int, sizes: Sizes) -> None:
        super().__init__()
        self.shape = (sizes.channels, sizes.size)
        numbers = sizes.channels * sizes.size
        self.context = nn.Linear(features, WIDTH)
        self.hidden = nn.Linear(WIDTH + sizes.known, WIDTH)
        self.output = nn.Linear(WIDTH, numbers)
        self.straight = nn.Linear(sizes.known, numbers, bias=False)

    def forward(self, context: Tensor, known: Tensor) -> Tensor:
        """Return what to add to the head's numbers `(B, H, K, size)`.

        Args:
            context: `(B, O)`.
            known: `(B, H, C)`, of the horizon.
        """
        seen = self.context(context).unsqueeze(1).expand(-1, known.size(1), -1)  # (B, H, WIDTH)
        hidden = F.gelu(self.hidden(torch.cat([seen, known], dim=2)))
        added: Tensor = (self.output(hidden) + self.straight(known)).unflatten(-1, self.shape)
        return added
