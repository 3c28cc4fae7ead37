"""Train the lecture's character model by a bare PyTorch loop; only PyTorch and NumPy are needed.

    python benchmarks/peers/torch_characters.py BATCHES.npz --precision bf16 --log steps.jsonl

What one would write by hand: `nn.Embedding`, `nn.LSTM`, `nn.Linear`, cross-entropy, AdamW, clipping
by norm, the state carried from batch to batch and cut off from its gradient. All starts as PyTorch
draws it. `benchmarks/character_peers.py` writes the batches and starts it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.step_lines import StepLines

State = tuple[Tensor, Tensor]


class CharacterModel(nn.Module):
    """Embedding, LSTM, linear map.

    Args:
        characters: `V`.
        embedding_size: Of a character.
        hidden_size: `H`.
        num_layers: Of the LSTM.
    """

    def __init__(
        self, characters: int, embedding_size: int, hidden_size: int, num_layers: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, characters)

    def forward(self, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Read characters `(B, T)`; return scores of the next ones `(B, T, V)`, and the state."""
        outputs, state = self.lstm(self.embedding(inputs), state)
        return self.head(outputs), state


def main() -> None:
    """Run from the command line; trains until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("batches", type=Path, help="inputs, targets (N, B, T) and characters")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    with np.load(arguments.batches) as file:
        inputs, targets = (torch.from_numpy(file[name]) for name in ("inputs", "targets"))
        model = CharacterModel(int(file["characters"]), 128, arguments.hidden_size, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002, weight_decay=0.01)
    lines = StepLines(arguments.log)
    lines.begin(sum(each.numel() for each in model.parameters()), torch=torch.__version__)
    while True:
        state: State | None = None
        for batch, following in zip(inputs, targets, strict=True):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16"):
                scores, state = model(batch, state)
                loss = F.cross_entropy(scores.flatten(0, 1), following.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            state = (state[0].detach(), state[1].detach())
            lines.step(batch.numel(), loss.item())


if __name__ == "__main__":
    main()
