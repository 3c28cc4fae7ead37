"""The tutorial's network is ours, and the parts of the benchmark of captioning run, tiny."""

from argparse import Namespace
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import torch

from benchmarks import captioning_speed
from benchmarks.captioning_agreement import (
    search_agreement,
    search_difference,
    training_agreement,
    training_difference,
)
from benchmarks.captioning_material import (
    BenchmarkCaptions,
    Material,
    built,
    captioning,
    counterparts,
    known_words,
    made_up_captions,
    made_up_features,
    shuffled,
    tutorial_of,
)
from benchmarks.captioning_speed import Search, parsed, timed
from benchmarks.peers.captioning_tutorial import (
    TutorialCaptioner,
    beam_search,
    caption_loss,
    train_step,
)
from seqforge.vision import EfficientNetLite
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen
from seqforge_tasks.captioning.task import Captioning

GRID, FEATURES, HIDDEN = (2, 3), 8, 12
GREEDY = CaptioningOptions(1, length_penalty=0.0)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    features = made_up_features(30, GRID, FEATURES)
    folder = tmp_path_factory.mktemp("material")
    return Material(made_up_captions(30, words=40), features, 16, folder)


@pytest.fixture(scope="module")
def data(material: Material) -> BenchmarkCaptions:
    return material.data()


@pytest.fixture
def task(data: BenchmarkCaptions) -> Captioning:
    made = built(captioning(GRID, FEATURES, 0.0), data, HIDDEN)
    with torch.no_grad():
        # Not as at the start: biases of the head that are zero would hide a mistake.
        for parameter in made.network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


@pytest.mark.parametrize("keys_once", [False, True])
def test_the_tutorial_has_our_loss_and_gradients(
    task: Captioning, material: Material, data: BenchmarkCaptions, keys_once: bool
) -> None:
    batch = next(shuffled(material, known_words(data)))

    found = training_difference(task, tutorial_of(task, 0.0, keys_once), batch)

    assert len(set(batch.lengths.tolist())) > 1
    assert found.loss < 1e-5
    assert found.gradients < 1e-4


@pytest.mark.parametrize("keys_once", [False, True])
def test_both_give_captions_the_same_log_probability(
    task: Captioning, material: Material, keys_once: bool
) -> None:
    found = search_difference(task, tutorial_of(task, 0.0, keys_once), material, 6)

    assert found.nats < 1e-3
    assert min(found.words) > 0


def test_both_find_the_captions_that_a_network_has_learnt(tmp_path: Path) -> None:
    captions = [("we wb wa wd",) * 5, ("wb wa wh",) * 5, ("wd wd wh wb we wa",) * 5]
    material = Material(captions, made_up_features(3, GRID, FEATURES), 15, tmp_path)
    data = material.data()
    task = built(captioning(GRID, FEATURES, 0.0), data, HIDDEN)
    model = tutorial_of(task, 0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for batch in islice(shuffled(material, known_words(data)), 60):
        train_step(model, optimizer, caption_loss(model, *batch))
    with torch.no_grad():
        for theirs, ours in counterparts(model, task).values():
            ours.copy_(theirs)

    found = search_difference(task, model, material, 3)

    written = [
        each[0].text for each in task.captioner.search(Seen(material.regions(range(3))), GREEDY)
    ]
    assert found.same == 1.0
    assert written == [each[0] for each in captions]


def test_another_network_ends_the_benchmark(
    task: Captioning, material: Material, data: BenchmarkCaptions
) -> None:
    model = tutorial_of(task, 0.0)
    with torch.no_grad():
        model.f_beta.bias.add_(0.5)

    with pytest.raises(SystemExit, match="another one: loss and gradients differ"):
        training_agreement(task, model, material, data)
    with pytest.raises(SystemExit, match="another one: log-probabilities of captions differ"):
        search_agreement(task, model, material, 4)


def test_a_batch_of_the_tutorial_has_what_the_captions_have(
    material: Material, data: BenchmarkCaptions
) -> None:
    words = known_words(data)

    batch = next(shuffled(material, words))

    assert batch.features.shape == (16, 6, FEATURES)
    for inputs, targets, length in zip(
        batch.inputs.tolist(), batch.targets.tolist(), batch.lengths.tolist(), strict=True
    ):
        assert (inputs[0], targets[length - 1]) == (words.begin, words.end)
        assert inputs[1:length] == targets[: length - 1]
        assert {*inputs[length:], *targets[length:]} <= {words.padding}


def test_the_tutorials_search_ends_by_itself_or_is_cut(task: Captioning) -> None:
    model: TutorialCaptioner = tutorial_of(task, 0.0).eval()
    search = partial(
        beam_search,
        model,
        torch.zeros(6, FEATURES),
        k=2,
        begin=task.vocabulary.begin,
        end=task.vocabulary.end,
        banned=[1],
        max_length=4,
    )
    with torch.no_grad():
        model.fc.bias[task.vocabulary.end] = 100.0
    ended = search()
    with torch.no_grad():
        model.fc.bias[task.vocabulary.end] = -100.0
    cut = search()

    assert (ended.words, ended.finished) == ((), True)
    assert not cut.finished
    assert 1 not in cut.words


def test_windows_of_training_count_captions(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioning_speed, "GRID", GRID)
    monkeypatch.setattr(captioning_speed, "FEATURES", FEATURES)
    arguments = Namespace(size=HIDDEN, warm=1)

    rate, task = captioning_speed.own_window(material, arguments, "32-true", 0.2)
    peer = captioning_speed.tutorial_window(material, arguments, False, 0.2)

    assert rate > 0
    assert peer > 0
    assert task.network.decoder.reader.output_size == HIDDEN


def test_both_caption_every_picture(task: Captioning, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    search = Search(task.eval(), EfficientNetLite(), torch.rand(5, 6, FEATURES), torch.zeros(5), 2)
    found = task.captioner.search

    def counting(captioner: object, seen: Seen, options: CaptioningOptions) -> object:
        calls.append(len(seen.features))
        return found(seen, options)

    monkeypatch.setattr(type(task.captioner), "search", counting)
    search.ours(CaptioningOptions(3, max_length=4), looking=False)
    search.theirs(tutorial_of(task, 0.0).eval(), looking=False)

    assert calls == [2, 2, 1]


def test_the_first_round_is_not_counted() -> None:
    rounds: list[str] = []

    rates = timed(lambda: rounds.append("a"), lambda: rounds.append("b"), 10, 3)

    assert rounds == ["a", "b"] * 4
    assert len(rates) == 3


def test_pictures_that_are_made_up_are_jpeg_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQFORGE_DATA", str(tmp_path))

    files = captioning_speed.jpeg_files(tmp_path, 2)

    assert len(files) == 2
    assert files[1].shape == (3, 160, 160)
    assert not torch.equal(files[0], files[1])


def test_quick_is_smaller_throughout() -> None:
    quick, whole = vars(parsed(["train", "--quick"])), vars(parsed(["train"]))

    assert {name for name in whole if quick[name] != whole[name]} == {
        *captioning_speed.QUICK,
        "quick",
    }
    assert all(quick[name] < whole[name] for name in captioning_speed.QUICK)
