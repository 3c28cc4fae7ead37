"""Time the training, search and feature extraction of captioning.

    export SEQFORGE_DATA=FOLDER    # flickr8k/ in it; without, captions and pictures are made up
    python -m benchmarks.captioning_speed train
    python -m benchmarks.captioning_speed caption
    python -m benchmarks.captioning_speed extract

`train`: captions that `SequenceModule` learns from in a second, in each precision. `caption`:
pictures captioned in a second with a beam of 3, from their features and with the image encoder.
Both against the tutorial's eager float32 loop over `nn.LSTMCell` (`peers/captioning_tutorial.py`)
of the same network with the same weights, which is checked first: loss, gradients, the
log-probabilities of captions. The network has the sizes that `Captioning` has unless told otherwise
and an LSTM of 512, dropout, doubly stochastic term; no label smoothing, as in the tutorial. It
reads 25 regions of 1,280 made-up features. Real captions are those of Flickr8k. `extract`: pictures
a second through `FeatureCache`, from JPEG files to the file of features, against EfficientNetLite's
bare forward pass on ready-made tensors: 64 at a time, and as few as `FeatureCache` takes.

All are timed in turn, A B A B …; the ratio is taken pair by pair, its median reported. `--quick`
shows that all of it runs.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor

from benchmarks.bare_trainer import bare_trainer
from benchmarks.captioning_agreement import search_agreement, training_agreement
from benchmarks.captioning_material import (
    Material,
    banned,
    built,
    captioning,
    encoder,
    known_words,
    made_up_captions,
    made_up_features,
    made_up_jpeg,
    read_captions,
    shuffled,
    tutorial_of,
)
from benchmarks.forecasting_speed import table
from benchmarks.peers.captioning_tutorial import (
    TutorialCaptioner,
    beam_search,
    caption_loss,
    train_step,
)
from benchmarks.step_clock import StepClock
from seqforge.cli.quiet import quiet_libraries
from seqforge.training import Constant, SequenceModule
from seqforge.vision import (
    EfficientNetLite,
    FeatureCache,
    ImageTransform,
    frozen_features,
    read_image,
)
from seqforge.vision.frozen_features import CPU_PART
from seqforge_tasks.captioning.photos.trees.archive import Archive
from seqforge_tasks.captioning.photos.trees.folder import Folder
from seqforge_tasks.captioning.photos.trees.tree import FileTree
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen
from seqforge_tasks.captioning.task import Captioning

SIZE, GRID, FEATURES = 160, (5, 5), 1280
"""Of EfficientNet-Lite0 at 160 pixels."""

DROPOUT = 0.3
"""The default of `Captioning`."""

TUTORIAL = "tutorial, float32"
WAYS = {"the tutorial": False, "the tutorial with keys computed once": True}
"""Ways of the tutorial, and whether the attention's keys are computed once for each caption."""


def own_window(
    material: Material,
    arguments: argparse.Namespace,
    precision: str,
    seconds: float,
    steps: int = -1,
) -> tuple[float, Captioning]:
    """Train ours for a while, or for so many steps where no seconds are given.

    Returns:
        The captions that it learnt from in a second, and the trained task.
    """
    report = material.folder / f"own-{time.time_ns()}.jsonl"
    pl.seed_everything(0, verbose=False)
    task = captioning(GRID, FEATURES, DROPOUT)
    module = SequenceModule(task, encoder(arguments.size), schedule=Constant)
    clock = StepClock(str(report), arguments.warm, seconds)
    trainer = bare_trainer(precision, max_steps=steps, callbacks=[clock])
    trainer.fit(module, datamodule=material.data())
    rate: float = json.loads(report.read_text(encoding="utf-8"))["tokens_per_second"]
    return rate, task


def tutorial_window(
    material: Material, arguments: argparse.Namespace, keys_once: bool, seconds: float
) -> float:
    """Train the tutorial's network for a while; return the captions it learnt from in a second."""
    data = material.data()
    task = built(captioning(GRID, FEATURES, DROPOUT), data, arguments.size)
    model = tutorial_of(task, DROPOUT, keys_once).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    began: list[float] = []
    for batch in shuffled(material, known_words(data)):
        began.append(time.perf_counter())
        counted = began[arguments.warm :]
        if len(counted) > 1 and counted[-1] - counted[0] >= seconds:
            break
        train_step(model, optimizer, caption_loss(model, *batch))
    return (len(counted) - 1) * material.batch_size / (counted[-1] - counted[0])


def train(material: Material, arguments: argparse.Namespace) -> str:
    """Time windows of training of both in turn, in each precision of ours."""
    data = material.data()
    task = built(captioning(GRID, FEATURES, 0.0), data, arguments.size)
    lines = [training_agreement(task, tutorial_of(task, 0.0), material, data)]
    print(lines[0], flush=True)
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(1, arguments.pairs + 1):
        for precision in arguments.precisions:
            for way, keys_once in WAYS.items():
                peer = tutorial_window(material, arguments, keys_once, arguments.seconds)
                ours, _ = own_window(material, arguments, precision, arguments.seconds)
                pairs.setdefault((way, precision), []).append((peer, ours))
                print(f"{way}, {precision}, {number}: {peer:.1f} {ours:.1f}", flush=True)
    for (way, precision), measured in pairs.items():
        against = table("captions/s", TUTORIAL, f"seqforge in {precision}", measured)
        lines.append(f"Against {way}:\n\n{against}")
    return "\n\n".join(lines)


@dataclass(frozen=True)
class Search:
    """Captioning of the same pictures by both.

    Attributes:
        task: Ours, trained.
        image: What both look with.
        features: `(N, P, C)` of the pictures.
        pictures: `(N, 3, S, S)` uint8.
        together: Pictures that ours captions at a time.
    """

    task: Captioning
    image: EfficientNetLite
    features: Tensor
    pictures: Tensor
    together: int

    def ours(self, options: CaptioningOptions, looking: bool) -> None:
        """Caption all pictures, looking at them first or not."""
        captioner = self.task.captioner
        for first in range(0, len(self.features), self.together):
            part = slice(first, first + self.together)
            if looking:
                frozen_features(self.image, self.pictures[part])
            captioner.search(Seen(self.features[part]), options)

    def theirs(self, model: TutorialCaptioner, looking: bool) -> None:
        """Do the same as the tutorial."""
        words = self.task.vocabulary
        for number, features in enumerate(self.features):
            if looking:
                with torch.no_grad():
                    self.image(self.pictures[number : number + 1])
            beam_search(
                model,
                features,
                k=3,
                begin=words.begin,
                end=words.end,
                banned=banned(words),
                max_length=50,
            )


def caption(material: Material, arguments: argparse.Namespace) -> str:
    """Time the captioning of pictures by both in turn, after training ours for a while."""
    count = arguments.pictures
    _, task = own_window(material, arguments, "bf16-mixed", 0.0, arguments.training)
    task.eval()
    peers = {way: tutorial_of(task, DROPOUT, once).eval() for way, once in WAYS.items()}
    lines = [search_agreement(task, peers["the tutorial"], material, count)]
    print(lines[0], flush=True)
    pictures = torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8)
    features = material.regions(range(count))
    search = Search(task, pretrained(), features, pictures, arguments.together)
    for way, looking, penalty in (
        ("the tutorial", False, 0.0),
        ("the tutorial", False, 1.0),
        ("the tutorial with keys computed once", False, 1.0),
        ("the tutorial", True, 1.0),
    ):
        pairs = timed(
            partial(search.theirs, peers[way], looking),
            partial(search.ours, CaptioningOptions(3, length_penalty=penalty), looking),
            count,
            arguments.pairs,
        )
        read = f"EfficientNet-Lite0 at {SIZE} pixels included" if looking else "from features"
        lines.append(
            f"Against {way}, {read}; ours with a length penalty of {penalty:g}:\n\n"
            + table("pictures/s", TUTORIAL, "seqforge", pairs)
        )
        print(lines[-1], flush=True)
    return "\n\n".join(lines)


class JpegFiles:
    """JPEG files as the cache of features reads them.

    Args:
        tree: Where they lie.
        names: What they are called.
        transform: What they go through.
    """

    def __init__(self, tree: FileTree, names: Sequence[str], transform: ImageTransform) -> None:
        self.tree = tree
        self.keys = names
        self.transform = transform

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> Tensor:
        return self.transform(read_image(io.BytesIO(self.tree.read(self.keys[number]))))


def jpeg_files(folder: Path, count: int) -> JpegFiles:
    """Return photos of Flickr8k, if they are there; else pictures that are made up."""
    archive = flickr8k() / "images_160.zip"
    tree: FileTree
    if archive.is_file():
        tree = Archive(archive)
        names = [name for name in tree.names() if name.endswith(".jpg")][:count]
    else:
        made = folder / "pictures"
        made.mkdir(exist_ok=True)
        names = [f"{number}.jpg" for number in range(count)]
        for number, name in enumerate(names):
            (made / name).write_bytes(made_up_jpeg(number, SIZE))
        tree = Folder(made)
    return JpegFiles(tree, names, ImageTransform(SIZE))


def extract(material: Material, arguments: argparse.Namespace) -> str:
    """Time the cache of features and the bare network in turn."""
    files = jpeg_files(material.folder, arguments.pictures)
    image = pretrained()
    ready = torch.stack([files[number] for number in range(len(files))])

    def bare(size: int) -> None:
        with torch.no_grad():
            for part in ready.split(size):
                image(part)

    def cached() -> None:
        with tempfile.TemporaryDirectory(dir=material.folder) as fresh:
            FeatureCache(Path(fresh)).features(image, files.transform, files, torch.device("cpu"))

    tables = []
    for size in (64, CPU_PART):
        pairs = timed(partial(bare, size), cached, len(files), arguments.pairs)
        theirs = f"bare network, {size} at a time"
        tables.append(table("pictures/s", theirs, "FeatureCache", pairs))
    return "\n\n".join(tables)


def timed(
    theirs: Callable[[], None], ours: Callable[[], None], count: int, pairs: int
) -> list[tuple[float, float]]:
    """Run both in turn, once before the time; return how many of `count` each does in a second."""
    rates = []
    for _ in range(pairs + 1):
        seconds = []
        for side in (theirs, ours):
            started = time.perf_counter()
            side()
            seconds.append(time.perf_counter() - started)
        rates.append((count / seconds[0], count / seconds[1]))
    return rates[1:]


def pretrained() -> EfficientNetLite:
    """Return the image encoder with its weights, in evaluation mode."""
    image = EfficientNetLite()
    image.build(SIZE)
    image.initialise()
    return image.eval()


def flickr8k() -> Path:
    """Return the folder of Flickr8k, which need not be there."""
    return Path(os.environ.get("SEQFORGE_DATA", "data")) / "flickr8k"


ACTIONS = {"train": train, "caption": caption, "extract": extract}
QUICK = {"pairs": 1, "seconds": 3.0, "warm": 1, "photos": 200, "pictures": 64, "training": 30}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=5, help="how often both are timed")
    parser.add_argument("--seconds", type=float, default=20.0, help="train: of a window")
    parser.add_argument("--warm", type=int, default=3, help="train: steps before it")
    parser.add_argument("--photos", type=int, default=2000, help="with five captions each")
    parser.add_argument("--size", type=int, default=512, help="of the LSTM")
    parser.add_argument("--batch-size", type=int, default=64, help="train: captions in a step")
    parser.add_argument("--precisions", nargs="+", default=["bf16-mixed", "32-true"])
    parser.add_argument("--pictures", type=int, default=512, help="caption, extract: how many")
    parser.add_argument("--together", type=int, default=32, help="caption: ours at a time")
    parser.add_argument(
        "--training", type=int, default=600, help="caption: steps of training before"
    )
    parser.add_argument("--quick", action="store_true", help="smaller and shorter throughout")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    if parser.parse_args(words).quick:
        parser.set_defaults(**QUICK)
    return parser.parse_args(words)


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    quiet_libraries()
    torch.set_num_threads(arguments.threads)
    file = flickr8k() / "captions.jsonl.gz"
    real = file.is_file()
    captions = read_captions(file, arguments.photos) if real else made_up_captions(arguments.photos)
    features = made_up_features(len(captions), GRID, FEATURES)
    with tempfile.TemporaryDirectory() as folder:
        material = Material(captions, features, arguments.batch_size, Path(folder))
        text = ACTIONS[arguments.action](material, arguments)
    text += (
        f"\n\n{'Captions of Flickr8k' if real else 'Captions that are made up'}, "
        f"{arguments.threads} threads, {platform.machine()}, torch {torch.__version__}.\n"
    )
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
