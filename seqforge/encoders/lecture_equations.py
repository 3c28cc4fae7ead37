r"""The lecture's equations, written out step by step: the reference that the encoders must match.

Nothing here is fast, and nothing is hidden: plain tensor operations on one sequence, no biases, no
modules, no autograd. Use float64 to compare.

The simple recurrent network sees column vectors, with $U$ for the input, $W$ for the state and $V$
for the output:

$$ s_t = \tanh(W s_{t-1} + U x_t), \qquad o_t = \mathrm{softmax}(V s_t) $$

The LSTM sees row vectors, and each gate has a $U$ and a $W$ of its own:

$$ i, f, o = \sigma(x_t U^{i,f,o} + s_{t-1} W^{i,f,o}), \qquad g = \tanh(x_t U^g + s_{t-1} W^g) $$
$$ c_t = c_{t-1} \circ f + g \circ i, \qquad s_t = \tanh(c_t) \circ o $$

Backpropagation through time is a sum over all steps $k$ through which step $t$ can be reached.
There $\hat o_t$ is what the network says and $o_t$ what is true, as a one-hot vector.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class RNNWeights(NamedTuple):
    """The simple network's weights: U `(H, I)`, W `(H, H)` and V `(O, H)`."""

    U: Tensor
    W: Tensor
    V: Tensor


class Gate(NamedTuple):
    """The weights of one gate of the LSTM: U `(I, H)` and W `(H, H)`."""

    U: Tensor
    W: Tensor


class LSTMWeights(NamedTuple):
    """The weights of the input, forget and output gates and of the candidate g."""

    i: Gate
    f: Gate
    o: Gate
    g: Gate


class Gradients(NamedTuple):
    """What backpropagation through time gives for one sequence.

    Attributes:
        error: `E = Σ_t E_t`, a scalar.
        V: `dE/dV`, `(O, H)`.
        U: `dE/dU`, `(H, I)`.
        W: `dE/dW`, `(H, H)`.
        U_terms: `(T, T, H, I)`; `[t, k]` is what step k contributes to `dE_t/dU`.
        W_terms: `(T, T, H, H)`; `[t, k]` is what step k contributes to `dE_t/dW`.
    """

    error: Tensor
    V: Tensor
    U: Tensor
    W: Tensor
    U_terms: Tensor
    W_terms: Tensor


def rnn_states(x: Tensor, weights: RNNWeights) -> Tensor:
    r"""Run the simple network: $s_t = \tanh(W s_{t-1} + U x_t)$, from $s_0 = 0$.

    Args:
        x: `(T, I)`, one sequence.
        weights: U, W and V.

    Returns:
        `(T, H)`, the states $s_1 \dots s_T$.
    """
    s = weights.W.new_zeros(weights.W.size(0))
    states = []
    for x_t in x:
        s = torch.tanh(weights.W @ s + weights.U @ x_t)
        states.append(s)
    return torch.stack(states)


def rnn_outputs(states: Tensor, weights: RNNWeights) -> Tensor:
    r"""Say what comes next: $o_t = \mathrm{softmax}(V s_t)$.

    Args:
        states: `(T, H)`.
        weights: U, W and V.

    Returns:
        `(T, O)`, each row a distribution.
    """
    return torch.stack([torch.softmax(weights.V @ s_t, dim=0) for s_t in states])


def lstm_states(x: Tensor, weights: LSTMWeights) -> tuple[Tensor, Tensor]:
    r"""Run the LSTM, from $s_0 = c_0 = 0$.

    $$ i = \sigma(x_t U^i + s_{t-1} W^i) \quad f = \sigma(x_t U^f + s_{t-1} W^f) \quad
       o = \sigma(x_t U^o + s_{t-1} W^o) \quad g = \tanh(x_t U^g + s_{t-1} W^g) $$
    $$ c_t = c_{t-1} \circ f + g \circ i \qquad s_t = \tanh(c_t) \circ o $$

    Args:
        x: `(T, I)`, one sequence.
        weights: A U and a W for each gate.

    Returns:
        The states $s_t$ and the cells $c_t$, both `(T, H)`.
    """
    s = c = weights.i.W.new_zeros(weights.i.W.size(0))
    states, cells = [], []
    for x_t in x:
        i = torch.sigmoid(x_t @ weights.i.U + s @ weights.i.W)
        f = torch.sigmoid(x_t @ weights.f.U + s @ weights.f.W)
        o = torch.sigmoid(x_t @ weights.o.U + s @ weights.o.W)
        g = torch.tanh(x_t @ weights.g.U + s @ weights.g.W)
        c = c * f + g * i
        s = torch.tanh(c) * o
        states.append(s)
        cells.append(c)
    return torch.stack(states), torch.stack(cells)


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    r"""Score each step: $E_t = -\log \hat o_t[\text{target}_t]$.

    Args:
        outputs: `(T, O)`, distributions.
        targets: `(T,)` int64.

    Returns:
        `(T,)`; the error of the sequence is their sum, $E = \sum_t E_t$.
    """
    return -torch.stack([o_t[target] for o_t, target in zip(outputs, targets, strict=True)]).log()


def state_jacobian(states: Tensor, weights: RNNWeights, t: int, k: int) -> Tensor:
    r"""Say how the state at t moves with the state at k, for $k \le t$.

    $$ \frac{\partial s_t}{\partial s_k}
       = \prod_{j=t}^{k+1} \frac{\partial s_j}{\partial s_{j-1}}
       = \mathrm{diag}(1 - s_t^2)\, W \cdots \mathrm{diag}(1 - s_{k+1}^2)\, W $$

    Later steps stand on the left. With t - k factors, it vanishes or explodes with the lag as W
    shrinks or stretches.

    Args:
        states: `(T, H)`.
        weights: U, W and V.
        t: The later step, counted from 0.
        k: The earlier step.

    Returns:
        `(H, H)`; the identity if k = t.
    """
    jacobian = torch.eye(states.size(1), dtype=states.dtype, device=states.device)
    for j in range(k + 1, t + 1):
        jacobian = torch.diag(1 - states[j] ** 2) @ weights.W @ jacobian
    return jacobian


def backpropagation_through_time(x: Tensor, targets: Tensor, weights: RNNWeights) -> Gradients:
    r"""Sum the simple network's gradients step by step.

    $$ \frac{\partial E_t}{\partial V} = (\hat o_t - o_t) \otimes s_t $$
    $$ \frac{\partial E_t}{\partial W} = \sum_{k \le t}
       \frac{\partial E_t}{\partial \hat o_t} \frac{\partial \hat o_t}{\partial s_t}
       \frac{\partial s_t}{\partial s_k} \frac{\partial s_k}{\partial W} $$

    and the same for U. The first two factors are $V^T (\hat o_t - o_t)$. The last one holds
    $s_{k-1}$ fixed: with $d$ the row that stands before it, the term is
    $d \circ (1 - s_k^2) \otimes s_{k-1}$ for W, and $\dots \otimes x_k$ for U.

    Args:
        x: `(T, I)`, one sequence.
        targets: `(T,)` int64, the true output at each step.
        weights: U, W and V.

    Returns:
        The error, its gradients, and every single term of the two sums.
    """
    states = rnn_states(x, weights)
    outputs = rnn_outputs(states, weights)
    time, hidden_size = states.shape
    before = torch.cat([states.new_zeros(1, hidden_size), states[:-1]])  # s_{t-1}: (T, H)
    truth = torch.eye(outputs.size(1), dtype=outputs.dtype)[targets]  # one-hot: (T, O)

    gradient_v = torch.zeros_like(weights.V)
    u_terms = x.new_zeros(time, time, *weights.U.shape)
    w_terms = x.new_zeros(time, time, *weights.W.shape)
    for t in range(time):
        surprise = outputs[t] - truth[t]
        gradient_v += torch.outer(surprise, states[t])
        error_by_state = weights.V.T @ surprise  # dE_t/ds_t: (H,)
        for k in range(t + 1):
            error_by_earlier = error_by_state @ state_jacobian(states, weights, t, k)  # dE_t/ds_k
            inside = error_by_earlier * (1 - states[k] ** 2)  # before tanh: (H,)
            u_terms[t, k] = torch.outer(inside, x[k])
            w_terms[t, k] = torch.outer(inside, before[k])
    return Gradients(
        error=cross_entropy(outputs, targets).sum(),
        V=gradient_v,
        U=u_terms.sum(dim=(0, 1)),
        W=w_terms.sum(dim=(0, 1)),
        U_terms=u_terms,
        W_terms=w_terms,
    )


def gradient_by_lag(terms: Tensor) -> Tensor:
    r"""Show how the gradient vanishes with the lag: the mean norm of all terms of one $t - k$.

    Args:
        terms: `(T, T, …)`, `U_terms` or `W_terms`.

    Returns:
        `(T,)`, for lags 0, 1, 2, …
    """
    norms = terms.flatten(2).norm(dim=2)  # (T, T)
    return torch.stack([norms.diagonal(-lag).mean() for lag in range(norms.size(0))])
