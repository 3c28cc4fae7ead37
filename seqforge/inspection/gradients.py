r"""How far back an error reaches: the norm of its gradient by lag.

Backpropagation through time multiplies one Jacobian for each step back,

$$ \frac{\partial E_t}{\partial s_{t-k}}
   = \frac{\partial E_t}{\partial s_t} \prod_{j=t}^{t-k+1} \frac{\partial s_j}{\partial s_{j-1}} $$

whose norm vanishes, or explodes, with the lag k (Bengio et al. 1994; Pascanu et al. 2013). Here it
is measured, exactly, by autograd through `Encoder.step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.errors import UserError
from seqforge.inspection.trace import Trace
from seqforge.state import State, map_state, row_leaves, select_items
from seqforge.task import Reading

WINDOWS = 64
"""Most steps t whose errors are followed back."""

GONE = 0.01
"""The share of its size at lag 0 at which a gradient counts as gone."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GradientCurve:
    """The gradient's norm by lag, relative to lag 0, over many steps t.

    Attributes:
        median: `(K + 1,)`, of `||dE_t/ds_{t-k}|| / ||dE_t/ds_t||` for lags k = 0 to K.
        lower: `(K + 1,)`, the lower quartile.
        upper: `(K + 1,)`, the upper quartile.
    """

    median: Floats
    lower: Floats
    upper: Floats

    @property
    def reach(self) -> int | None:
        """The first lag, in steps, at which the median is down to 1 %; None if none is."""
        below = np.flatnonzero(self.median <= GONE)
        return int(below[0]) if len(below) else None


def gradient_by_lag(reading: Reading, seen: Trace, lags: int) -> GradientCurve:
    """Measure how the gradient of the errors changes with the lag.

    Args:
        reading: A text of `T` positions.
        seen: Its trace.
        lags: `K`, the largest lag; below `T`.

    Returns:
        The curve over at most `WINDOWS` steps t, evenly spread over the text.

    Raises:
        ValueError: If the text has no step with so many before it.
        UserError: If a gradient is not finite.
    """
    length = len(reading.symbols)
    if not 0 < lags < length:
        raise ValueError(f"a text of {length} positions has no lags up to {lags}")
    count = min(WINDOWS, length - lags)
    spread = torch.linspace(lags, length - 1, count, device=seen.outputs.device)
    norms = gradient_norms(reading, seen, spread.round().long(), lags).cpu().numpy()
    if not np.isfinite(norms).all():
        raise UserError(
            "the gradients of this network are not finite numbers",
            todo="its training has diverged: give an earlier checkpoint",
        )
    norms = norms[:, norms[0] > 0]  # an error of exactly 0 has no gradient to follow
    if not norms.size:
        raise UserError(
            "no error of this text has a gradient to follow",
            todo="give another text; a network that is always certain learns nothing from this one",
        )
    lower, median, upper = np.quantile(norms / norms[0], [0.25, 0.5, 0.75], axis=1)
    return GradientCurve(median, lower, upper)


def gradient_norms(reading: Reading, seen: Trace, ends: Tensor, lags: int) -> Tensor:
    """Give `||dE_t/ds_{t-k}||` for some steps t and all lags k from 0.

    The state s is all that one step hands to the next: every layer's hidden state, and an LSTM's
    cells. What E_t sees of s_t is the encoder's output, so that lag 0 is the gradient there.

    Args:
        reading: A text of `T` positions.
        seen: Its trace.
        ends: `(N,)` int64, the steps t; each only once, and at least `lags`.
        lags: `K`, the largest lag, at least 1.

    Returns:
        `(K + 1, N)` float64.
    """
    starts = ends - lags + 1  # the first step after s_{t-K}
    state = map_state(_tracked, select_items(seen.before, starts))
    kept = [_followed(state)]
    output = seen.outputs[ends]
    with torch.enable_grad():
        for offset in range(lags):
            if offset:
                # As it is handed over: what it gave to its own step's output is another path.
                state = map_state(lambda leaf: leaf.view_as(leaf), state)
                kept.append(_followed(state))
            output, state = reading.encoder.step(reading.inputs[0, starts + offset].detach(), state)
        kept.append([output])
        # Each row is a text of its own: the others' errors do not depend on its states.
        outputs = seen.outputs.index_copy(0, ends, output)
        error = reading.losses(outputs[None])[ends].sum()
    flat = [leaf for leaves in kept for leaf in leaves]
    gradients = iter(torch.autograd.grad(error, flat, allow_unused=True, materialize_grads=True))
    norms = [_norm([next(gradients) for _ in leaves]) for leaves in kept]
    return torch.stack(norms).flip(0)


def fresh_encoders(like: Encoder, num_layers: int, seed: int = 0) -> dict[str, Encoder]:
    """Make an untrained tanh RNN, LSTM and GRU of the sizes of another encoder, to compare with.

    Recurrent weights start as PyTorch draws them: orthogonal ones, which the encoders here have by
    default, are a remedy against the very thing that is to be seen.

    Args:
        like: Gives the input and output sizes, device and dtype.
        num_layers: The number of layers.
        seed: What the weights are drawn from.

    Returns:
        By name, in evaluation mode.
    """
    classes: dict[str, Any] = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
    weight = next(like.parameters())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {
            name: kind(like.input_size, like.output_size, num_layers=num_layers, orthogonal=False)
            .to(device=weight.device, dtype=weight.dtype)
            .eval()
            for name, kind in classes.items()
        }


def _tracked(leaf: Tensor) -> Tensor:
    return leaf.detach().clone().requires_grad_(leaf.is_floating_point())


def _followed(state: State) -> list[Tensor]:
    return [leaf for leaf in row_leaves(state) if leaf.requires_grad]


def _norm(gradients: list[Tensor]) -> Tensor:
    """Give the norm over all leaves `(N, …)` of each row, `(N,)`."""
    # In float64, because the squares of vanishing numbers vanish twice as fast.
    rows = torch.cat([gradient.flatten(1).double() for gradient in gradients], dim=1)
    norms: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return norms
