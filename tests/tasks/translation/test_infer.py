"""Training and translating by the command line, all on one small run."""

import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import seqforge
from seqforge.cli.main import main
from seqforge.errors import UserError
from seqforge_tasks.translation import Translation, TranslationOptions
from tests.tasks.translation.corpora import pairs, write

Output = pytest.CaptureFixture[str]

CONFIG = """
model:
  encoder: {class_path: GRU, init_args: {hidden_size: 8}}
  task: {class_path: Translation, init_args: {embedding_size: 8, beam_size: 2}}
  ema: 0.5
data:
  class_path: ParallelText
  init_args:
    {path: texts, source: en, target: fr, vocabulary: words, max_length: 9, max_tokens: 150}
trainer: {max_epochs: 1, accelerator: cpu, devices: 1}
"""
LINES = ["The red cat sees", "", "a small dog.", "birds"]
LONG = "the cat sees a red dog and two small birds, and the dog sees a cat."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, `runs/one`."""
    made, before = tmp_path_factory.mktemp("translation"), Path.cwd()
    write(made / "texts", "train", pairs(60))
    write(made / "texts", "val", pairs(9, seed=1))
    (made / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    os.chdir(made)
    torch.set_num_threads(1)
    try:
        assert main(["fit", "--config", "tiny.yaml", "--run", "one"]) == 0
    finally:
        os.chdir(before)
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")


def loaded() -> Translation:
    task = seqforge.load(Path("runs/one"))
    assert isinstance(task, Translation)
    return task


def infer(*words: str) -> int:
    return main(["infer", "runs/one", *words])


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# -- training ----------------------------------------------------------------------------------


def test_scores_previews_and_pictures_of_each_epoch() -> None:
    metrics = Path("runs/one/logs/metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    files = [file.name for file in Path("runs/one").rglob("*") if file.is_file()]

    for name in ("val/bleu", "val/chrf", "val/exact_match", "val/cut", "val/loss"):
        assert name in metrics
    assert [name for name in files if "attention" in name and name.endswith(".png")]
    shown = "".join(
        file.read_text(encoding="utf-8")
        for file in Path("runs/one").rglob("*translations*")
        if file.is_file()
    )
    assert "reference" in shown
    assert " !" in shown


def test_tied_weights_stay_one_in_a_checkpoint_and_in_averages() -> None:
    file = next(Path("runs/one").rglob("last.ckpt"))
    saved = torch.load(file, weights_only=True)
    for state in (saved["state_dict"], loaded().state_dict()):
        tied = [
            value for name, value in state.items() if re.search(r"embedding.weight|head.w", name)
        ]
        assert len(tied) == 3
        for value in tied:
            assert torch.equal(value, tied[0])
    network = loaded().network
    assert network.head.weight is network.target_embedding.weight
    assert network.source_embedding.weight is network.target_embedding.weight
    # What is served is the average, not the last weights.
    own = saved["state_dict"]["task.network.head.weight"]
    assert not torch.equal(own, network.head.weight)


# -- translating ---------------------------------------------------------------------------------


def test_inline_files_and_stdin_are_translated_alike(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = loaded().translate(LINES)
    assert expected[1] == ""
    data = "".join(f"{line}\n" for line in LINES).encode()
    Path("lines.txt").write_bytes(data)
    for words in (LINES, ["-i", "lines.txt"], ["-i", "-"]):
        stdin(monkeypatch, data)
        assert infer(*words) == 0
        assert capsys.readouterr().out == "".join(f"{line}\n" for line in expected)


def test_one_text_is_not_taken_for_a_list() -> None:
    with pytest.raises(UserError, match="one text, not a list of texts: 'The red cat'") as caught:
        loaded().translate("The red cat")
    assert len(str(caught.value).splitlines()) <= 5


def test_a_line_break_inline_is_no_second_line(capsys: Output) -> None:
    assert infer("the red\ncat\tsees") == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_options_change_the_search(capsys: Output) -> None:
    words = ["--beam-size", "3", "--max-length", "4", "--min-length", "4", "--no-repeat-ngram", "1"]
    assert infer(*LINES, *words) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [len(line.split()) for line in lines] == [4, 0, 4, 4]
    assert all(len(set(line.split())) == len(line.split()) for line in lines)


def test_n_best_lists_are_numbered_and_scored(capsys: Output) -> None:
    assert infer(*LINES, "--n-best", "2", "--scores") == 0

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    options = TranslationOptions(n_best=2)
    found = loaded().translator.translate(LINES, options)
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3", "4", "4"]
    assert rows[2] == ["2", "", "", ""]
    expected = [each for candidates in found for each in candidates]
    for row, each in zip([*rows[:2], *rows[3:]], expected, strict=True):
        assert float(row[1]) == pytest.approx(each.score, abs=1e-4)
        assert float(row[2]) == pytest.approx(each.log_prob, abs=1e-4)
        assert row[3] == each.text
    assert float(rows[0][1]) >= float(rows[1][1])


def test_scores_alone_and_n_best_alone(capsys: Output) -> None:
    assert infer(*LINES, "--scores") == 0
    assert [line.count("\t") for line in capsys.readouterr().out.splitlines()] == [2, 2, 2, 2]
    assert infer("", "--n-best", "3") == 0
    assert capsys.readouterr().out == "1\t\n"


def test_pictures_of_attention(capsys: Output) -> None:
    assert infer(*LINES, "--attention", "made/pictures") == 0
    plain = loaded().translate(LINES)
    assert capsys.readouterr().out.splitlines() == plain

    files = sorted(file.name for file in Path("made/pictures").iterdir())
    assert files == ["0001.png", "0003.png", "0004.png"]  # an empty line has none
    for name in files:
        assert np.asarray(Image.open(Path("made/pictures", name))).std() > 0


def test_a_long_line_in_parts(capsys: Output) -> None:
    assert infer("birds", LONG) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "input 2 has 16 tokens, and the network was trained on at most 9" in captured.err
    assert "--long split" in captured.err

    assert infer("birds", LONG, "--long", "split") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == loaded().translate(["birds"])[0]
    assert second
    (found,) = loaded().translator.translate([LONG], TranslationOptions(long="split"))
    assert " ".join(piece for piece in found[0].source if piece != "</s>").count(" ") == 15


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--beem-size", "3"), "unrecognized arguments: --beem-size 3.*did you mean: --beam-size"),
        (("--beam-size", "0"), "beam_size is 0.*where: --beam-size.*from 1 to 1000"),
        (("--long", "cut"), "argument --long: invalid choice: 'cut'"),
        (("--attention", "tiny.yaml"), "cannot make the folder 'tiny.yaml'.*where: --attention"),
        (("--attention", "blocked"), "cannot write 'blocked/0001.png'.*where: --attention"),
    ],
)
def test_mistakes(words: tuple[str, ...], pattern: str, capsys: Output) -> None:
    Path("blocked/0001.png").mkdir(parents=True, exist_ok=True)

    assert infer("birds", *words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert len(captured.err.splitlines()) <= 5
    assert re.search(pattern, " ".join(captured.err.split()))


def test_help_explains_the_options(capsys: Output) -> None:
    assert infer("--help") == 0
    words = " ".join(capsys.readouterr().out.split())

    assert "options of Translation" in words
    for name in ("--beam-size INT", "--n-best INT", "--scores", "--attention STR", "--long"):
        assert name in words


def test_predictions_are_written_for_each_pair() -> None:
    assert main(["predict", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 0
    (file,) = Path("runs").rglob("predictions.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert [row["id"] for row in rows] == list(range(len(rows)))
    assert set(rows[0]) == {"id", "source", "reference", "translation", "score"}


def test_a_test_shows_the_signatures_of_its_scores(capsys: Output) -> None:
    assert main(["test", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 0
    shown = " ".join(capsys.readouterr().out.split())

    assert "test/bleu" in shown
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in shown
