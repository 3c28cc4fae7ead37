"""Train SegRNN by a plain loop on windows of ETTh1, and note how long the steps take.

    python benchmarks/peers/segrnn_loop.py ETTh1.csv.gz --report FILE.jsonl

The network and the loop are those of Lin et al. 2023 as their code has them: last value
subtracted, segments embedded by a linear map and ReLU, one `nn.GRU` over them, all segments of the
horizon decoded by a single call of the same `nn.GRU` of length 1, whose input is half position and
half channel; Adam, MSE, a `DataLoader` of windows with all channels. Eager float32, nothing tuned.
`benchmarks/forecasting_speed.py` starts it; only PyTorch, numpy and pandas are used.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

TRAINING = 8640
"""Hours of ETTh1's training part."""


class HourlyWindows(Dataset[tuple[NDArray[np.float32], NDArray[np.float32]]]):
    """All windows of the training part, scaled by its mean and deviation.

    Args:
        table: The file, with a date column and one column a channel.
        context: Steps that are known, `L`.
        horizon: Steps that are forecast, `H`.
    """

    def __init__(self, table: Path, context: int, horizon: int) -> None:
        values = pd.read_csv(table).iloc[:TRAINING, 1:].to_numpy()
        self.values = ((values - values.mean(0)) / values.std(0)).astype(np.float32)
        self.context = context
        self.horizon = horizon

    def __len__(self) -> int:
        return len(self.values) - self.context - self.horizon + 1

    def __getitem__(self, first: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        end = first + self.context
        return self.values[first:end], self.values[end : end + self.horizon]


class SegRNN(nn.Module):
    """SegRNN with parallel decoding and channel positions.

    Args:
        context: Steps that are known, `L`, a multiple of the segment.
        horizon: Steps that are forecast, `H`, another.
        channels: `K`, of the data.
        segment: `w`, steps of a segment.
        size: `D`, of embeddings and the hidden state.
        dropout: Before the last map.
    """

    def __init__(
        self, context: int, horizon: int, channels: int, segment: int, size: int, dropout: float
    ) -> None:
        super().__init__()
        self.parts = horizon // segment
        self.segments = context // segment
        self.embedding = nn.Sequential(nn.Linear(segment, size), nn.ReLU())
        self.rnn = nn.GRU(size, size, batch_first=True)
        self.positions = nn.Parameter(torch.randn(self.parts, size // 2))
        self.channels = nn.Parameter(torch.randn(channels, size // 2))
        self.output = nn.Sequential(nn.Dropout(dropout), nn.Linear(size, segment))

    def forward(self, context: Tensor) -> Tensor:
        """Forecast `(B, H, K)` from `(B, L, K)`."""
        batch, _, channels = context.shape
        last = context[:, -1:].detach()
        values = (context - last).permute(0, 2, 1)  # (B, K, L)
        segments = self.embedding(values.reshape(batch * channels, self.segments, -1))
        _, hidden = self.rnn(segments)  # (1, B * K, D)
        positions = self.positions.unsqueeze(0).repeat(channels, 1, 1)
        whose = self.channels.unsqueeze(1).repeat(1, self.parts, 1)
        asked = torch.cat([positions, whose], dim=-1).view(-1, 1, hidden.size(2))
        asked = asked.repeat(batch, 1, 1)  # (B * K * M, 1, D)
        started = hidden.repeat(1, 1, self.parts).view(1, -1, hidden.size(2))
        _, answered = self.rnn(asked, started)
        forecast: Tensor = self.output(answered).view(batch, channels, -1)
        return forecast.permute(0, 2, 1) + last


def forever(loader: DataLoader[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches, pass after pass."""
    while True:
        yield from loader


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("table", type=Path)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--context", type=int, default=720)
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--segment", type=int, default=48)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=64, help="windows of all channels")
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--warm", type=int, default=3, help="steps before the time")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    data = HourlyWindows(arguments.table, arguments.context, arguments.horizon)
    loader = DataLoader(data, arguments.batch_size, shuffle=True, drop_last=True)
    channels = data.values.shape[1]
    sizes = (arguments.context, arguments.horizon, channels, arguments.segment, arguments.size)
    network = SegRNN(*sizes, arguments.dropout)
    optimizer = torch.optim.Adam(network.parameters(), lr=arguments.learning_rate)
    criterion = nn.MSELoss()
    began: list[float] = []
    for context, target in forever(loader):
        began.append(time.perf_counter())
        counted = began[arguments.warm :]
        if counted and counted[-1] - counted[0] >= arguments.seconds and len(counted) > 1:
            break
        optimizer.zero_grad()
        loss = criterion(network(context), target)
        loss.backward()
        optimizer.step()
    seconds, steps = counted[-1] - counted[0], len(counted) - 1
    line = {
        "steps": steps,
        "seconds": seconds,
        "rows_per_second": steps * arguments.batch_size * channels / seconds,
    }
    arguments.report.write_text(json.dumps(line) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
