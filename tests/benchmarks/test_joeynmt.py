"""What the peer and seqforge are told is one and the same task; the peer itself is not run."""

import gzip
from pathlib import Path

import pytest
from sentencepiece import SentencePieceProcessor

from benchmarks.joeynmt import own_settings, peer_settings, prepare, table
from seqforge.text import train_subwords

LINES = {
    "en": ["a red cat sleeps .", "the dog sees a cat .", "two red dogs run ."],
    "fr": ["un chat rouge dort .", "le chien voit un chat .", "deux chiens rouges courent ."],
}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    folder = tmp_path / "packed"
    folder.mkdir()
    for part in ("train", "val"):
        for language, lines in LINES.items():
            text = "\n".join(lines) + "\n"
            file = folder / f"{part}.lc.norm.tok.{language}.gz"
            file.write_bytes(gzip.compress(text.encode("utf-8")))
    return folder


def test_both_get_the_model_that_seqforge_trains(packed: Path, tmp_path: Path) -> None:
    prepare(packed, tmp_path / "data")

    model = (tmp_path / "data" / "joint.model").read_bytes()
    pieces = (tmp_path / "data" / "joint.pieces").read_text(encoding="utf-8").splitlines()
    processor = SentencePieceProcessor(model_proto=model)
    assert model == train_subwords([*LINES["en"], *LINES["fr"]], size=8000).model
    assert {*processor.encode("un chat rouge .", out_type=str)} <= {*pieces}
    assert len(pieces) == len(processor) - 4
    assert not any(processor.is_control(processor.piece_to_id(piece)) for piece in pieces)


def test_the_texts_are_unpacked_as_they_are(packed: Path, tmp_path: Path) -> None:
    prepare(packed, tmp_path / "data")

    for language, lines in LINES.items():
        text = (tmp_path / "data" / f"val.{language}").read_text(encoding="utf-8")
        assert text == "\n".join(lines) + "\n"


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"train\.lc\.norm\.tok\.en\.gz.*SEQFORGE_DATA"):
        prepare(tmp_path, tmp_path / "data")


def test_both_train_the_same_network_in_the_same_way(tmp_path: Path) -> None:
    peer = peer_settings(tmp_path, tmp_path / "peer", threads=2)
    own = own_settings(tmp_path, tmp_path / "runs", precision=None)

    model, encoder, task = peer["model"], own["model"]["encoder"], own["model"]["task"]["init_args"]
    for part in (model["encoder"], model["decoder"]):
        assert part["rnn_type"] == encoder["class_path"].lower() == "gru"
        assert part["hidden_size"] == encoder["init_args"]["hidden_size"]
        assert part["num_layers"] == encoder["init_args"]["num_layers"]
        assert part["embeddings"]["embedding_dim"] == task["embedding_size"]
        assert part["dropout"] == part["embeddings"]["dropout"] == task["dropout"]
    assert model["decoder"]["hidden_dropout"] == task["dropout"]
    assert model["encoder"]["bidirectional"] == task["bidirectional"]
    assert model["decoder"]["input_feeding"] == task["input_feeding"]
    assert (model["decoder"]["attention"], task["attention"]) == ("luong", "general")
    training = peer["training"]
    assert training["label_smoothing"] == task["label_smoothing"]
    assert training["learning_rate"] == own["model"]["optimizer"]["init_args"]["lr"]
    assert (training["decrease_factor"], own["model"]["schedule"]["class_path"]) == (1, "Constant")
    assert training["clip_grad_norm"] == own["trainer"]["gradient_clip_val"]
    assert training["batch_size"] == own["data"]["init_args"]["max_tokens"]
    assert peer["random_seed"] == own["seed_everything"]
    for side in ("src", "trg"):
        assert peer["data"][side]["max_length"] == own["data"]["init_args"]["max_length"]


def test_a_precision_is_passed_on_only_if_given(tmp_path: Path) -> None:
    given = own_settings(tmp_path, tmp_path, precision="32-true")
    left_out = own_settings(tmp_path, tmp_path, precision=None)

    assert given["trainer"]["precision"] == "32-true"
    assert "precision" not in left_out["trainer"]


def test_ratios_are_taken_pair_by_pair() -> None:
    # The medians of the columns, 100 and 300, would give 3.
    text = table("tokens/s", [(100.0, 200.0), (50.0, 300.0), (200.0, 800.0)])

    assert "| 2 | 50.0 | 300.0 | 6.00 |" in text
    assert text.endswith("Median ratio: **4.00**.")
