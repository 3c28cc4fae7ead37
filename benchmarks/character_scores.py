"""Score a character model by plain PyTorch alone, to check what `seqforge validate` says.

    python benchmarks/character_scores.py runs/NAME/checkpoints/best.ckpt input.txt

Nothing of seqforge is used: the weights are read from the file and put into `torch.nn.LSTM`. The
last 10 % of the text are scored twice: cold, in windows of 256 from a zero state each, and in one
pass from beginning to end. Works for LSTM checkpoints without layer norm and residuals.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def network(checkpoint: dict[str, Any]) -> tuple[nn.Embedding, list[nn.LSTM], nn.Linear]:
    """Build the layers from a checkpoint; the moving average of the weights where there is one."""
    average = checkpoint.get("average", {}).get("weights")
    weights = {
        name.removeprefix("task."): value
        for name, value in (average or checkpoint["state_dict"]).items()
    }
    embedding = nn.Embedding.from_pretrained(weights["embedding.weight"])
    head = nn.Linear(*reversed(weights["head.weight"].shape))
    head.load_state_dict({name: weights[f"head.{name}"] for name in ("weight", "bias")})
    layers = []
    while f"encoder.layers.{len(layers)}.rnn.weight_ih_l0" in weights:
        prefix = f"encoder.layers.{len(layers)}.rnn."
        own = {
            name.removeprefix(prefix): value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
        layer = nn.LSTM(own["weight_ih_l0"].shape[1], own["weight_hh_l0"].shape[1])
        layer.load_state_dict(own)
        layers.append(layer)
    return embedding, layers, head


@torch.inference_mode()
def total_nats(checkpoint: dict[str, Any], tokens: Tensor, piece: int, carry: bool) -> float:
    """Return the summed nats of tokens (N,) but the first, read `piece` steps at a time.

    Args:
        checkpoint: The file's content.
        tokens: The text.
        piece: Steps read at a time.
        carry: Keep the state from piece to piece; else each one starts from zero.
    """
    embedding, layers, head = network(checkpoint)
    states: list[Any] = [None] * len(layers)
    total = 0.0
    for first in range(0, len(tokens) - 1, piece):
        targets = tokens[first + 1 : first + 1 + piece]
        outputs = embedding(tokens[first : first + len(targets)])  # (T, I)
        for number, layer in enumerate(layers):
            outputs, states[number] = layer(outputs, states[number] if carry else None)
        total += float(F.cross_entropy(head(outputs).double(), targets, reduction="sum"))
    return total


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--validation", type=float, default=0.1, help="share scored, at the end")
    parser.add_argument("--window", type=int, default=256)
    arguments = parser.parse_args()
    checkpoint = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    characters = checkpoint["seqforge"]["spec"]["vocabulary"]["characters"]
    numbers = {symbol: number for number, symbol in enumerate(characters, start=1)}
    text = arguments.text.read_text(encoding="utf-8")
    part = text[int(len(text) * (1 - arguments.validation)) :]
    tokens = torch.tensor([numbers.get(symbol, 0) for symbol in part])
    print(f"{len(part):,} characters, of which {len(part) - 1:,} are predicted")
    for name, piece, carry in (
        (f"cold, windows of {arguments.window}", arguments.window, False),
        ("stateful, one pass", 4096, True),
    ):
        mean = total_nats(checkpoint, tokens, piece, carry) / (len(tokens) - 1)
        print(f"{name}: {mean:.4f} nats = {mean / math.log(2):.4f} bits a character")


if __name__ == "__main__":
    main()
