"""Train the lecture's character model by Keras 3; its own Python executes this file.

    KERAS_BACKEND=jax PEER/bin/python benchmarks/peers/keras_runner.py BATCHES.npz --log steps.jsonl

As Keras is meant to be used: `compile` and `fit` on arrays that are not shuffled, stateful layers
(not on PyTorch, see `model_of`), a callback that notes each batch. On JAX the step is compiled
(`jit_compile` is what Keras chooses), on PyTorch it is not. All starts as Keras draws it.
`benchmarks/character_peers.py` writes the batches and starts it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.peers.step_lines import StepLines


class BatchLog(keras.callbacks.Callback):
    """Notes each batch, and begins every epoch with a fresh state.

    Args:
        lines: The log.
        characters: Of a batch.
    """

    def __init__(self, lines: StepLines, characters: int) -> None:
        super().__init__()
        self._lines = lines
        self._characters = characters
        self._sum = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Forget the text."""
        self._sum = 0.0
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.LSTM) and layer.stateful:
                layer.reset_state()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note it; what Keras hands out is the mean of the epoch's batches so far."""
        total = (batch + 1) * float(logs["loss"])
        self._lines.step(self._characters, total - self._sum)
        self._sum = total


def model_of(characters: int, batch_size: int, seq_len: int, hidden_size: int) -> keras.Sequential:
    """Return the compiled model."""
    # On PyTorch a stateful layer of Keras 3.15 cannot be trained: it overwrites its state before
    # the gradient has been taken, which autograd refuses. There every batch begins afresh.
    stateful = keras.backend.backend() != "torch"
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(batch_size, seq_len), dtype="int32"),
            keras.layers.Embedding(characters, 128),
            keras.layers.LSTM(hidden_size, return_sequences=True, stateful=stateful),
            keras.layers.LSTM(hidden_size, return_sequences=True, stateful=stateful),
            keras.layers.Dense(characters, dtype="float32"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            0.002, weight_decay=0.01, epsilon=1e-8, global_clipnorm=1.0
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def main() -> None:
    """Run from the command line; trains until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("batches", type=Path, help="inputs, targets (N, B, T) and characters")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--policy", default="float32", help="or mixed_bfloat16")
    parser.add_argument("--hidden-size", type=int, default=512)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(arguments.policy)
    with np.load(arguments.batches) as file:
        inputs, targets = (file[name].astype(np.int32) for name in ("inputs", "targets"))
        characters = int(file["characters"])
    _, batch_size, seq_len = inputs.shape
    model = model_of(characters, batch_size, seq_len, arguments.hidden_size)
    backend = keras.backend.backend()
    assert backend == os.environ["KERAS_BACKEND"]
    lines = StepLines(arguments.log)
    versions = {name: importlib.metadata.version(name) for name in ("keras", backend)}
    lines.begin(model.count_params() - state_size(model), **versions)
    model.fit(
        inputs.reshape(-1, seq_len),
        targets.reshape(-1, seq_len),
        batch_size=batch_size,
        epochs=1000,
        shuffle=False,
        verbose=0,
        callbacks=[BatchLog(lines, batch_size * seq_len)],
    )


def state_size(model: keras.Sequential) -> int:
    """Return how many of the model's numbers are states and seeds, not weights."""
    return int(sum(np.prod(each.shape) for each in model.non_trainable_variables))


if __name__ == "__main__":
    main()
