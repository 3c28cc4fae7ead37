"""What an encoder is: the interface that every recurrent stack, a plugin's too, keeps."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seqforge.errors import UserError
from seqforge.layers.masking import padding_mask
from seqforge.state import State, hold, row_leaves

Stepper = Callable[[Tensor, State], tuple[Tensor, State]]
"""`(x (B, I), state) -> (output (B, O), state)`, with frozen weights and without gradients."""


class EncoderError(UserError, ValueError):
    """An encoder was configured, or used, in a way that it does not offer."""


class LayerActivations(NamedTuple):
    """What one layer does at a step, to be looked at.

    Attributes:
        units: `(B, H)`, what the layer remembers after the step; in [-1, 1] for the built-in
            encoders, `tanh(c_t)` for the LSTM.
        gates: Named gates, `(B, H)` in [0, 1]; empty for a layer without gates.
    """

    units: Tensor
    gates: Mapping[str, Tensor]


class Encoder(nn.Module, ABC):
    """A stack of recurrent layers that reads `(B, T, I)` and gives `(B, T, O)` and a state.

    A causal encoder needs only `start` and `step`, and sets the attributes below in its
    constructor: the other methods have defaults that go through `step`. One that is faster over a
    whole sequence overrides `forward` too. An encoder that is not causal overrides `forward`, and
    neither steps nor takes a state. `seqforge.testing.encoder_contract` tells whether all of it
    holds together. A state is handed in and out; none is kept on the module.

    Attributes:
        input_size: `I`, the number of input features.
        output_size: `O`, the number of output features.
        causal: Whether output `t` depends on inputs up to `t` only.
        draws_per_step: Whether training draws random numbers anew at every step, so that a
            sequence and its steps cannot draw the same.
    """

    input_size: int
    output_size: int
    causal: bool = True
    draws_per_step: bool = False

    @abstractmethod
    def start(self, batch_size: int) -> State:
        """Give the state before the first step.

        Args:
            batch_size: `B`.

        Returns:
            Nested tuples of tensors `(B, …)`, on the parameters' device and in their dtype, but
            at least float32. See `zeros`.
        """

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Read a sequence, or its next chunk.

        Args:
            x: `(B, T, I)`.
            state: The state after the steps before; None begins anew.
            lengths: `(B,)` int64, the valid steps of each row, 0 to T; padding is on the right and
                changes nothing, whatever stands there. None: all are valid.

        Returns:
            The outputs `(B, T, O)`, zero at padding, and the state after each row's last valid
            step.

        Raises:
            EncoderError: If a shape, or a length, does not fit.
        """
        self.check_input(x, 3)
        state = self.start(x.size(0)) if state is None else state
        lengths = self.check_lengths(lengths, x)
        padding = None if lengths is None else padding_mask(lengths, x.size(1))
        if padding is not None:
            x = x.masked_fill(padding.unsqueeze(2), 0.0)
        outputs = []
        for t in range(x.size(1)):
            output, after = self.step(x[:, t], state)
            if padding is not None:
                after = hold(after, padding[:, t], state)
                output = output.masked_fill(padding[:, t : t + 1], 0.0)
            outputs.append(output)
            state = after
        return torch.stack(outputs, dim=1), state

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one step, with gradients.

        Args:
            x: `(B, I)`.
            state: The state after the step before.

        Returns:
            The output `(B, O)` and the new state.

        Raises:
            EncoderError: If the encoder is not causal.
        """
        self.require_causal("read step by step")
        raise NotImplementedError(f"{type(self).__name__} must define step(x, state)")

    def stepper(self) -> Stepper:
        """Give a function that steps with the weights as they are now: no gradients, no dropout.

        The default steps a frozen copy of the encoder; override it where weights can be packed.

        Returns:
            `(x (B, I), state) -> (output (B, O), state)`; later changes of the encoder's weights
            or mode do not reach it.

        Raises:
            EncoderError: If the encoder is not causal.
        """
        self.require_causal("read step by step")
        frozen = copy.deepcopy(self).eval()

        def advance(x: Tensor, state: State) -> tuple[Tensor, State]:
            with torch.no_grad():
                return frozen.step(x, state)

        return advance

    def embedded_stepper(self, embedding: Tensor) -> Stepper:
        """Give a stepper for inputs that are all rows of one matrix, such as embedded tokens.

        The default looks the rows up and steps; override it where more can be made beforehand.

        Args:
            embedding: `(V, I)`, copied as it is now.

        Returns:
            `(numbers of rows (B,) int64, state) -> (output (B, O), state)`, as from `stepper`.

        Raises:
            EncoderError: If the encoder is not causal.
        """
        step, frozen = self.stepper(), embedding.detach().clone()
        return lambda numbers, state: step(frozen.index_select(0, numbers), state)

    def activations(self, x: Tensor, state: State) -> list[LayerActivations]:
        """Look into one step, in evaluation mode: `seqforge inspect` draws what this gives.

        The default takes each `(B, d)` leaf of the state after the step for a layer and knows of no
        gates; override it to name gates, or to choose what a unit's activation is.

        Args:
            x: `(B, I)`.
            state: The state after the step before.

        Returns:
            One entry a layer, the first layer first.

        Raises:
            EncoderError: If the encoder is not causal.
        """
        _, after = self.step(x, state)
        units = [leaf for leaf in row_leaves(after) if leaf.dim() == 2]
        return [LayerActivations(leaf, {}) for leaf in units if leaf.is_floating_point()]

    def zeros(self, batch_size: int, size: int) -> Tensor:
        """Make one leaf of a start state.

        Args:
            batch_size: `B`.
            size: `d`, the number of features.

        Returns:
            `(B, d)` zeros, on the parameters' device and in their dtype, but at least float32.
        """
        like = next(self.parameters())
        dtype = torch.promote_types(like.dtype, torch.float32)
        return torch.zeros(batch_size, size, device=like.device, dtype=dtype)

    def require_causal(self, what: str) -> None:
        """Refuse what only a causal encoder can do.

        Args:
            what: The end of the sentence "it cannot …".

        Raises:
            EncoderError: If the encoder is not causal.
        """
        if not self.causal:
            raise EncoderError(
                f"this {type(self).__name__} reads both ways over the whole sequence: "
                f"it cannot {what}",
                todo="use a causal one (bidirectional: false)",
            )

    def check_input(self, x: Tensor, dimensions: int) -> None:
        """Refuse an input of the wrong shape.

        Args:
            x: What is to be read.
            dimensions: 3 for a sequence `(B, T, I)`, 2 for a step `(B, I)`.

        Raises:
            EncoderError: If the number of dimensions or of features is another, or T is 0.
        """
        if x.dim() == dimensions and x.size(-1) == self.input_size and x.size(-2) > 0:
            return
        expected = (
            ("B", "T >= 1", str(self.input_size))
            if dimensions == 3
            else ("B", str(self.input_size))
        )
        raise EncoderError(
            f"{type(self).__name__} reads inputs ({', '.join(expected)}), got {tuple(x.shape)}"
        )

    def check_lengths(self, lengths: Tensor | None, x: Tensor) -> Tensor | None:
        """Refuse lengths that do not fit, and drop those that say nothing.

        Args:
            lengths: `(B,)` int64, or None.
            x: `(B, T, I)`.

        Returns:
            The lengths on the device of `x`; None if every row is full.

        Raises:
            EncoderError: If there are not B lengths, or one is outside 0 to T.
        """
        if lengths is None:
            return None
        if lengths.shape != x.shape[:1]:
            raise EncoderError(
                f"lengths must have shape ({x.size(0)},), one for each row, "
                f"got {tuple(lengths.shape)}"
            )
        shortest, longest = int(lengths.min()), int(lengths.max())
        if shortest < 0 or longest > x.size(1):
            raise EncoderError(
                f"lengths must lie between 0 and the {x.size(1)} steps of the input, "
                f"got {shortest} to {longest}"
            )
        return None if shortest == x.size(1) else lengths.to(x.device)
