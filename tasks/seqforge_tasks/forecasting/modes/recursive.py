"""Recursive forecasting: one step after the other, each from the one before."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError
from seqforge.layers import Dropout, final_output
from seqforge.state import State, repeat
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.heads.paths import SamplePaths
from seqforge_tasks.forecasting.modes.base import Mode, step_inputs
from seqforge_tasks.forecasting.modes.chance import PathChance
from seqforge_tasks.forecasting.normalisation import Frame
from seqforge_tasks.forecasting.window import Sizes, Window


class Recursive(Mode):
    """Predicts the next step, and reads its own predictions to go on (DeepAR, Salinas et al. 2020).

    A step's input is the value there and what is known of the *next* step. In training the true
    values are read. A head with a spread is followed along sample paths, drawn step by step.

    A step's inputs also reach the prediction straight, by a linear map, as in mode direct.

    Args:
        encoders: Make the encoder.
        sizes: Of the data and the head.
        dropout: Probability that a feature is dropped before the head.
        paths: Sample paths of each window.

    Raises:
        UserError: There are covariates that end at the cut-off, or steps are skipped behind it.
    """

    any_horizon: ClassVar[bool] = True
    dense: ClassVar[bool] = True

    def __init__(self, encoders: EncoderFactory, sizes: Sizes, dropout: float, paths: int) -> None:
        super().__init__()
        if sizes.past:
            raise UserError(
                "a recursive forecast would need past covariates of steps that are yet to come",
                where="model.task.mode",
                accepted=("direct", "segments"),
                todo="choose another mode, or leave out data.past",
            )
        if sizes.lead != 1:
            raise UserError(
                f"a recursive forecast passes every step, and data.lead is {sizes.lead}",
                where="model.task.mode",
                accepted=("direct", "segments"),
                todo="choose another mode, or leave out data.lead",
            )
        self.sizes = sizes
        self.dropout = Dropout(dropout)
        self.paths = paths
        inputs = sizes.target + sizes.known + sizes.static
        self.encoder = encoders(inputs, causal=True)
        self.output = nn.Linear(self.encoder.output_size, sizes.channels * sizes.size)
        self.straight = nn.Linear(inputs, sizes.channels * sizes.size, bias=False)

    def taught(self, window: Window, target: Tensor, observed: Tensor) -> Tensor:
        """Return the head's numbers `(B, H, K, size)`, each step after the true one before it."""
        last, read, state = self._read(window)
        features, inputs = last.unsqueeze(1), read.unsqueeze(1)  # (B, 1, …)
        if target.size(1) > 1:
            following = self._inputs(
                self._told(target[:, :-1], observed[:, :-1]),
                window.known_future[:, 1:],
                window.static,
            )
            outputs, _ = self.encoder(following, state)
            features = torch.cat([features, outputs], dim=1)
            inputs = torch.cat([inputs, following], dim=1)
        return self._numbers(features, inputs)

    def forecast(self, window: Window, head: Head, horizon: int) -> Predictive:
        """Forecast any horizon, on the head's own point or along sample paths."""
        paths = self.paths if head.spreads else 1
        last, read, state = self._read(window)
        rows = Frame(*(part.repeat_interleave(paths, dim=0) for part in window.frame))
        static = window.static.repeat_interleave(paths, dim=0)
        known = window.known_future.repeat_interleave(paths, dim=0)
        features, state = last.repeat_interleave(paths, dim=0), repeat(state, paths)
        numbers = self._numbers(features, read.repeat_interleave(paths, dim=0))
        chance = PathChance(window.context, paths)
        # Packed weights step several times as fast; gradients go the ordinary way.
        advance = self.encoder.step if torch.is_grad_enabled() else self.encoder.stepper()
        spoken, drawn = [numbers], []
        for step in range(horizon):
            # Location and scale without the time dimension: one step is (B * paths, K).
            predictive = head(numbers, rows.location[:, 0], rows.scale[:, 0])
            value = predictive.sample(chance.draw()) if head.spreads else predictive.point()
            drawn.append(value)
            if step + 1 < horizon:
                value = (value - rows.location[:, 0]) / rows.scale[:, 0]
                told = self._told(value, torch.ones_like(value))
                inputs = torch.cat([told, known[:, step + 1], static], dim=1)
                features, state = advance(inputs, state)
                numbers = self._numbers(features, inputs)
                spoken.append(numbers)
        if not head.spreads:
            points: Predictive = head(torch.stack(spoken, dim=1), *window.frame)
            return points
        samples = torch.stack(drawn, dim=1)  # (B * paths, H, K)
        return SamplePaths(samples.unflatten(0, (-1, paths)).movedim(1, -1))

    def start(self, batch_size: int) -> State:
        """Return the encoder's first state."""
        return self.encoder.start(batch_size)

    def every_step(self, window: Window, state: State) -> tuple[Tensor, State]:
        """Return the head's numbers for the next step of each `(B, L, 1, K, size)`, and the state.

        In training the loss counts the next step alone: the steps behind it have cut-offs of their
        own.
        """
        inputs = self._context(window)
        outputs, state = self.encoder(inputs, state, window.lengths)
        return self._numbers(outputs, inputs).unsqueeze(2), state

    def _read(self, window: Window) -> tuple[Tensor, Tensor, State]:
        """Read the context; return its last output `(B, O)` and inputs `(B, I)`, and the state."""
        inputs = self._context(window)
        outputs, state = self.encoder(inputs, None, window.lengths)
        last = (final_output(each, window.lengths, causal=True) for each in (outputs, inputs))
        return *last, state

    def _context(self, window: Window) -> Tensor:
        """Return the inputs of the context's steps `(B, L, I)`: known covariates one step ahead."""
        ahead = torch.cat([window.known[:, 1:], window.known_future[:, :1]], dim=1)
        if window.lengths is not None:
            rows = torch.arange(len(ahead), device=ahead.device)
            ahead = ahead.index_put((rows, window.lengths - 1), window.known_future[:, 0])
        return self._inputs(window.values, ahead, window.static)

    def _inputs(self, values: Tensor, known: Tensor, static: Tensor) -> Tensor:
        return step_inputs(values, known, static=static)

    def _told(self, values: Tensor, observed: Tensor) -> Tensor:
        """Return values `(…, K)` as the encoder reads them: `(…, target)`."""
        return torch.cat([values, observed.to(values)], -1) if self.sizes.masked else values

    def _numbers(self, features: Tensor, inputs: Tensor) -> Tensor:
        """Return numbers `(…, K, size)` of features `(…, O)` and of the step's inputs `(…, I)`."""
        numbers: Tensor = self.output(self.dropout(features))
        numbers = numbers + self.straight(inputs)
        shaped: Tensor = numbers.unflatten(-1, (self.sizes.channels, self.sizes.size))
        return shaped
