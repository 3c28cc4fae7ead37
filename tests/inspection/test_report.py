"""The whole report: what is in its files, and that the page is whole, safe and self-contained."""

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch

from seqforge.encoders import LSTM, RNN, EncoderError
from seqforge.errors import UserError
from seqforge.inspection import GradientCurve, Report, Subject, Unit, look, rank_units
from seqforge.inspection import report as report_module
from seqforge.inspection.page import SHOWN, Picture
from seqforge.inspection.page import Page as HtmlPage
from seqforge.inspection.ranking import COLUMNS
from seqforge.inspection.report import FILES, require_symbols
from tests.inspection.readings import TEXT, read

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "</script><script>alert(1)</script>&<b>"
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What stands in a page; a tag that closes another one than the last open is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif "style" not in self.open:
            self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def report() -> Report:
    torch.manual_seed(0)
    encoder = LSTM(3, 6, num_layers=2).eval()
    text = HOSTILE + TEXT
    return look([Subject("a <b> & $c", read(encoder, text))], wanted=[Unit(2, 3)], notes=["<i>"])


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(report.files["index.html"].decode())


def test_all_files_are_there(report: Report, tmp_path: Path) -> None:
    report.write(tmp_path / "new" / "folder")

    written = {file.name for file in (tmp_path / "new" / "folder").iterdir()}
    assert written == set(report.files) == set(FILES)
    for name, data in report.files.items():
        assert data.startswith(b"\x89PNG") == name.endswith(".png")


def test_the_table_has_every_unit_and_feature(report: Report) -> None:
    table = pd.read_csv(io.BytesIO(report.files["units.csv"]))

    assert list(table.columns) == COLUMNS
    assert set(table["feature"].value_counts()) == {12}
    assert {"inside quotes", "inside brackets", "place in the line"} <= set(table["feature"])
    assert table["first_half"].abs().max() <= 1


def test_the_page_needs_nothing_else(page: Page) -> None:
    sources = [image["src"] or "" for image in page.of("img")]

    assert len(sources) == 4
    for source in sources:
        assert source.startswith("data:image/png;base64,")
        assert base64.b64decode(source.partition(",")[2]).startswith(b"\x89PNG")
    assert page.of("link") == []
    assert [script.get("src") for script in page.of("script")] == [None, None]
    assert "http" not in page.scripts[1]


def test_the_page_can_be_read_by_everyone(page: Page) -> None:
    assert all((image["alt"] or "").strip() for image in page.of("img"))
    assert page.of("html")[0]["lang"] == "en"
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    assert all(button["type"] == "button" for button in page.of("button"))
    assert len(page.of("noscript")) == 1


def test_texts_in_the_page_are_escaped(page: Page, report: Report) -> None:
    assert "Inside a <b> & $c" in page.text
    assert "a <b> & $c: LSTM with layers of 6 and 6 units, read" in page.text
    assert "<i>" in page.text
    assert "b" not in [tag for tag, _ in page.tags]
    assert len(page.scripts) == 2
    assert json.loads(page.scripts[0])["symbols"][: len(HOSTILE)] == list(HOSTILE)


def test_every_button_has_its_activations(page: Page) -> None:
    data = json.loads(page.scripts[0])
    buttons = {button["data-unit"] for button in page.of("button")}

    assert buttons == set(data["units"])
    assert data["first"] == "2:3"
    for packed in data["units"].values():
        assert len(base64.b64decode(packed)) == len(data["symbols"])


def test_the_activations_are_those_of_the_encoder(page: Page) -> None:
    reading = read(LSTM(3, 6, num_layers=2), HOSTILE + TEXT)
    torch.manual_seed(0)
    encoder = LSTM(3, 6, num_layers=2).eval()
    state = encoder.start(1)
    expected = []
    for x in reading.inputs[0]:
        _, state = encoder.step(x[None], state)
        expected.append(state.layers[1].cell[0, 2].tanh().item())

    packed = base64.b64decode(json.loads(page.scripts[0])["units"]["2:3"])

    assert [byte / 127.5 - 1 for byte in packed] == pytest.approx(expected, abs=1 / 255 + 1e-6)


def test_findings_are_said_in_words(report: Report) -> None:
    assert re.match(r"a <b> & \$c: (the gradient|\S+ of the gradient)", report.findings[0])
    (quotes,) = (line for line in report.findings if line.startswith("inside quotes: "))
    assert re.search(r"unit \d:\d \(2 AUC - 1 = [+-]0.\d\d on the first half, [+-]0", quotes)
    assert "<i>" in report.notes


def test_several_checkpoints_are_compared() -> None:
    pair = [Subject("one", read(RNN(3, 4), TEXT)), Subject("two", read(LSTM(3, 5), TEXT))]

    report = look(pair, lags=5)

    assert [line.partition(":")[0] for line in report.findings[:2]] == ["one", "two"]
    assert "Units and gates are those of the first checkpoint, one." in report.notes
    assert "The figures of gates are left out: RNN has none to show." in report.notes
    assert not {"gates.png", "saturation.png"} & set(report.files)
    page = Page(report.files["index.html"].decode())
    assert "two: LSTM with layers of 5 units" in page.text
    assert "What the gates do" not in page.text


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, GradientCurve]]:
    """The curves that would have been drawn, in place of the seconds that it takes."""
    found = []

    def draw(*rest: Any) -> dict[str, Picture]:
        found.append(rest[4])
        return dict.fromkeys(("units", "gradients"), Picture(b"", "a picture", ""))

    monkeypatch.setattr(report_module, "draw_pictures", draw)
    return found


@pytest.mark.usefixtures("drawn")
def test_notes_of_a_reading_are_passed_on() -> None:
    noted = read(RNN(3, 4), TEXT)._replace(notes=["2 characters <unknown>."])
    others = [Subject("one", read(RNN(3, 4), TEXT)), Subject("two", noted)]

    report = look([Subject("x", noted)], lags=5)

    assert "2 characters <unknown>." in report.notes
    assert "2 characters <unknown>." in Page(report.files["index.html"].decode()).text
    assert "two: 2 characters <unknown>." in look(others, lags=5).notes


@pytest.mark.parametrize("kind", ["plain", "locked"])
def test_dropout_takes_no_part_and_modes_stay(
    kind: Literal["plain", "locked"], drawn: list[dict[str, GradientCurve]]
) -> None:
    torch.manual_seed(0)
    encoder = LSTM(3, 6, num_layers=2, dropout=0.5, dropout_kind=kind, weight_drop=0.5)
    subject = Subject("x", read(encoder.eval(), TEXT))
    look([subject], lags=5)
    encoder.train()
    frozen = encoder.layers[0].eval()

    look([subject], lags=5)

    expected, found = (curves["x"].median for curves in drawn)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert encoder.training
    assert all(module.training for module in encoder.layers[1].modules())
    assert not any(module.training for module in frozen.modules())


def test_a_text_without_features_still_shows_a_unit() -> None:
    report = look([Subject("plain", read(RNN(3, 4), "!?" * 13))])

    note = next(line for line in report.notes if line.startswith("Left out"))
    assert "inside quotes, inside brackets, place in the line, line end" in note
    assert any(
        line.startswith("Gradients are followed back over 12 steps") for line in report.notes
    )
    data = json.loads(Page(report.files["index.html"].decode()).scripts[0])
    assert list(data["units"]) == ["1:1"]
    assert report.files["units.csv"].decode() == ",".join(COLUMNS) + "\n"


def test_old_figures_do_not_stay(report: Report, tmp_path: Path) -> None:
    report.write(tmp_path)
    report._replace(files={"index.html": b"new"}).write(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]


def test_a_long_text_makes_no_large_page() -> None:
    symbols = list((TEXT * 9)[:5000])
    units = torch.rand(5000, 100) * 2 - 1
    ranking = rank_units(symbols, [units])
    chosen = [row for name in ranking.features for row in ranking.best(name, SHOWN).index]
    activations = {Unit(1, number): units[:, 0].double().numpy() for number in range(len(chosen))}
    picture = Picture(b"x" * 600_000, "one of the larger ones", "")
    pictures = dict.fromkeys(("units", "gradients", "gates"), picture)

    page = HtmlPage("title", ["one"], [], symbols, ranking, activations, [], pictures)

    assert len(chosen) == 8 * SHOWN
    assert len(page.html().encode()) < 3_000_000


@pytest.mark.parametrize("unit", [Unit(0, 1), Unit(3, 1), Unit(1, 7), Unit(2, 0)])
def test_units_that_do_not_exist(unit: Unit) -> None:
    with pytest.raises(UserError) as error:
        look([Subject("x", read(LSTM(3, 6, num_layers=2), TEXT))], wanted=[unit])
    assert f"there is no unit {unit}" in str(error.value)
    assert "accepted: 1:1 to 1:6, 2:1 to 2:6" in str(error.value)


def test_a_short_text() -> None:
    with pytest.raises(UserError, match="the text has 19 symbols"):
        look([Subject("x", read(RNN(3, 4), TEXT[:20]))])
    require_symbols(read(RNN(3, 4), TEXT[:21]))


def test_an_encoder_that_reads_both_ways() -> None:
    reading = read(RNN(3, 4), TEXT)._replace(encoder=RNN(3, 4, bidirectional=True))
    with pytest.raises(EncoderError, match="cannot be looked into"):
        look([Subject("x", reading)])


def test_a_folder_that_cannot_be_written(report: Report, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(UserError, match="cannot write to") as error:
            report.write(folder)
        assert error.value.where == "--output"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to open the page with")
def test_a_browser_colours_the_text(report: Report, tmp_path: Path) -> None:
    report.write(tmp_path)
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/user"]
    # Sent to another unit by the address, as a click on a button does.
    unit = json.loads(Page(report.files["index.html"].decode()).scripts[0])["units"]
    wanted = list(unit)[-1]
    address = f"{(tmp_path / 'index.html').as_uri()}#{wanted}"
    shown = subprocess.run(
        [CHROMIUM, *options, "--virtual-time-budget=5000", "--dump-dom", address],
        capture_output=True,
        check=True,
        timeout=120,
    )

    page = Page(shown.stdout.decode())
    cells = page.of("i")
    assert len(cells) == len(HOSTILE + TEXT) - 1
    assert all("background-color: rgb" in (cell["style"] or "") for cell in cells)
    pressed = {b["data-unit"] for b in page.of("button") if b["aria-pressed"] == "true"}
    assert pressed == {wanted}
    layer, _, number = wanted.partition(":")
    assert f"unit {number} of layer {layer}" in page.text
