"""Run JoeyNMT 2.3 as it comes, and note what it does and when; its own Python executes this file.

    PEER_PYTHON benchmarks/peers/joeynmt_runner.py train CONFIG --epochs 3 --report FILE.jsonl
    PEER_PYTHON benchmarks/peers/joeynmt_runner.py window CONFIG --seconds 60 --report FILE.jsonl
    PEER_PYTHON benchmarks/peers/joeynmt_runner.py decode CONFIG --checkpoint FILE --report …
    PEER_PYTHON benchmarks/peers/joeynmt_runner.py steps CONFIG --report steps.jsonl

Nothing of JoeyNMT is changed: its trainer runs one epoch at a time, and the one function wrapped
here is called unchanged between two readings of the clock. `benchmarks/joeynmt.py` starts it;
`steps`, which trains until it is ended, is for `benchmarks/peers_table.py`. Each line of the report
is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import joeynmt.training
import torch
from joeynmt.config import load_config, parse_global_args, set_validation_args
from joeynmt.helpers import load_checkpoint, make_model_dir
from joeynmt.helpers_for_ddp import get_logger
from joeynmt.metrics import bleu
from joeynmt.prediction import predict, prepare


class Step(NamedTuple):
    """One training step: when it began, and the real target tokens it learnt from."""

    began: float
    tokens: int


class Steps:
    """Notes each training step of a manager; stops the training when the time is over.

    Args:
        manager: Its `_train_step` is wrapped.
        warm: Steps that are not counted.
        seconds: Time after the warm steps at which training stops; 0 trains to the end.
    """

    def __init__(self, manager: Any, warm: int, seconds: float) -> None:
        self.seen: list[Step] = []
        self._warm = warm
        self._seconds = seconds
        self._train_step = manager._train_step
        manager._train_step = self._noted

    def _noted(self, batch: Any) -> Any:
        now = time.perf_counter()
        counted = self.seen[self._warm :]
        if self._seconds and counted and now - counted[0].began >= self._seconds:
            self.seen.append(Step(now, 0))
            raise KeyboardInterrupt  # the manager's own way of ending early
        self.seen.append(Step(now, int(batch.ntokens)))
        return self._train_step(batch)

    def rate(self) -> dict[str, float]:
        """Return the tokens, seconds, steps and rate between the first counted and the last."""
        counted = self.seen[self._warm :]
        tokens = sum(step.tokens for step in counted[:-1])
        seconds = counted[-1].began - counted[0].began
        return {
            "tokens": tokens,
            "seconds": seconds,
            "steps": len(counted) - 1,
            "tokens_per_second": tokens / seconds,
        }


def manager_of(config: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Return JoeyNMT's arguments, its training manager, training part and validation part."""
    arguments = parse_global_args(config, rank=0, mode="train")
    model, train_data, validation_data, _ = prepare(arguments, rank=0, mode="train")
    manager = joeynmt.training.TrainManager(
        rank=0,
        model=model,
        model_dir=arguments.model_dir,
        device=arguments.device,
        n_gpu=arguments.n_gpu,
        num_workers=arguments.num_workers,
        autocast=arguments.autocast,
        seed=arguments.seed,
        train_args=arguments.train,
        dev_args=set_validation_args(arguments.test),
    )
    return arguments, manager, train_data, validation_data


def score(arguments: Any, model: Any, data: Any, settings: Any) -> dict[str, Any]:
    """Translate the validation part; return its BLEU, the seconds without it, the sentences."""
    started = time.perf_counter()
    _, references, hypotheses, *_ = predict(
        model=model,
        data=data,
        device=arguments.device,
        n_gpu=0,
        compute_loss=False,
        normalization=arguments.train.normalization,
        args=settings._replace(eval_metrics=[]),
        autocast=arguments.autocast,
    )
    seconds = time.perf_counter() - started
    return {
        "bleu": bleu(hypotheses, references, **settings.sacrebleu_cfg),
        "seconds": seconds,
        "sentences_per_second": len(hypotheses) / seconds,
        "hypotheses": hypotheses,
    }


def train(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Train epoch by epoch and score each greedily, the last one by beam search too."""
    arguments, manager, train_data, validation_data = manager_of(config)
    parameters = sum(weight.numel() for weight in manager.model.parameters())
    for epoch in range(1, options.epochs + 1):
        steps = Steps(manager, warm=0, seconds=0)
        manager.args = manager.args._replace(epochs=epoch)
        manager.stats.epochs = epoch
        started = time.perf_counter()
        manager.train_and_validate(train_data, validation_data)
        steps.seen.append(Step(time.perf_counter(), 0))
        line = {"epoch": epoch, "epoch_seconds": time.perf_counter() - started, **steps.rate()}
        manager._train_step = steps._train_step
        greedy = score(
            arguments, manager.model, validation_data, set_validation_args(arguments.test)
        )
        note(options.report, {**line, "parameters": parameters, "greedy": greedy})
    beam = score(arguments, manager.model, validation_data, arguments.test)
    note(options.report, {"beam_size": arguments.test.beam_size, "beam": beam})


def window(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Train for a while from the beginning; note the rate."""
    _, manager, train_data, validation_data = manager_of(config)
    steps = Steps(manager, options.warm, options.seconds)
    manager.train_and_validate(train_data, validation_data)
    note(options.report, steps.rate())


def steps(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Train until the process is ended; note each step with its loss."""
    from benchmarks.peers.step_lines import StepLines  # the other actions need no path to it

    _, manager, train_data, validation_data = manager_of(config)
    lines, train_step = StepLines(options.report), manager._train_step
    words = manager.model.trg_vocab
    entropy = smoothing_entropy(config["training"]["label_smoothing"], len(words))

    def noted(batch: Any) -> Any:
        divergence, correct = train_step(batch)
        lines.step(int(batch.ntokens), divergence + entropy)
        return divergence, correct

    manager._train_step = noted
    weights = sum(each.numel() for each in manager.model.parameters())
    version = importlib.metadata.version("joeynmt")
    lines.begin(weights, torch=torch.__version__, joeynmt=version)
    manager.train_and_validate(train_data, validation_data)  # which it never comes to use


def smoothing_entropy(smoothing: float, words: int) -> float:
    """Return what a smoothed cross-entropy has above JoeyNMT's loss, which is a divergence.

    Args:
        smoothing: Probability that is shared out over all words but two.
        words: Of the vocabulary.
    """
    sure = 1.0 - smoothing
    return -(sure * math.log(sure) + smoothing * math.log(smoothing / (words - 2)))


def decode(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Translate the validation part from a checkpoint by beam search, once a batch size."""
    arguments, manager, _, validation_data = manager_of(config)
    checkpoint = load_checkpoint(options.checkpoint, map_location=arguments.device)
    manager.model.load_state_dict(checkpoint["model_state"])
    for batch_size in options.batch_sizes:
        settings = arguments.test._replace(batch_size=batch_size)
        line = score(arguments, manager.model, validation_data, settings)
        note(options.report, {"batch_size": batch_size, **line})


def note(report: Path, line: dict[str, Any]) -> None:
    """Append a line to the report."""
    with report.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=("train", "window", "decode", "steps"))
    parser.add_argument("config", type=Path)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--warm", type=int, default=5, help="steps not counted")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64])
    options = parser.parse_args()
    config = load_config(options.config)
    make_model_dir(Path(config["model_dir"]), overwrite=True)
    get_logger("", log_file=str(Path(config["model_dir"]) / "run.log"))
    torch.set_num_threads(config.get("threads", torch.get_num_threads()))
    actions = {"train": train, "window": window, "decode": decode, "steps": steps}
    actions[options.action](options, config)


if __name__ == "__main__":
    main()
