"""What the documentation says works: its commands, examples, configurations, links and figures.

Every block is tried, page by page and in order, in one folder for each page. Comments before a
block say more: `<!-- file: NAME -->` writes it to that file, for the blocks after it, and
`<!-- not run: REASON -->` only looks at a command. `runs/NAME` is a finished run.
"""

import contextlib
import io
import re
import runpy
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from seqforge import registry
from seqforge.cli.main import COMMANDS, main
from seqforge.cli.quiet import quiet_libraries

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "examples" not in p.parts)]
KEYS = {"seed_everything", "model", "data", "trainer", "checkpoint", "early_stopping", "samples"}
QUICK = (
    "--trainer.max_epochs=1",
    "--trainer.limit_train_batches=2",
    "--trainer.limit_val_batches=1",
    "--trainer.precision=32-true",
    "--trainer.accelerator=cpu",
    "--trainer.logger=false",
    "--model.encoder.hidden_size=8",
)
MOST_NOT_RUN = 3

BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>file|not run): (?P<value>[^\n]+) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

pytestmark = [
    # torch deprecates a class that Lightning still compares with (seqforge.cli.quiet).
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    file: str = ""
    not_run: str = ""


@dataclass(frozen=True)
class Command:
    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str = ""
    output: str = ""


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        marker = {match["marker"].replace(" ", "_"): match["value"]} if match["marker"] else {}
        line = text[: match.start("language")].count("\n") + 1
        found.append(Block(match["language"], match["text"], line, **marker))
    return found


def commands_of(block: Block) -> Iterator[Command]:
    """Read the `seqforge` commands of a shell block: `&&`, a pipe from echo, `>` to a file."""
    for line in block.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|>&")
        lexer.whitespace_split = True
        for words in _split(list(lexer), "&&"):
            stdin, output = "", ""
            if "|" in words:
                echo, words = _split(words, "|")
                assert echo[0] == "echo", f"only echo can be piped: {line}"
                stdin = " ".join(echo[1:]) + "\n"
            if ">" in words:
                words, (output,) = _split(words, ">")
            environment = {}
            while words and re.match(r"[A-Z_]+=", words[0]):
                name, _, environment[name] = words[0].partition("=")
                words = words[1:]
            if words and words[0] == "seqforge":
                yield Command(words[1:], environment, stdin, output)


def _split(words: list[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def run(command: Command, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run a command in this process, trainings shortened; return its exit code and messages."""
    words = [*command.words, *QUICK] if command.words[0] == "fit" else command.words
    out, err = io.StringIO(), io.StringIO()
    with monkeypatch.context() as patch:
        for name, value in command.environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(command.stdin.encode())))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    if command.output:
        Path(command.output).write_text(out.getvalue(), encoding="utf-8")
    return code, f"seqforge {shlex.join(words)}\n{out.getvalue()}\n{err.getvalue()}"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    # Networks this small only lose by sharing their work, badly so where the cores are busy.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documented")
    shutil.copytree(ROOT / "configs", folder / "configs")
    text = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate.\n"
    (folder / "my_text.txt").write_text(text * 100, encoding="utf-8")
    arguments = (
        f"fit --config configs/char_generation.yaml --run NAME --data.path={folder}/my_text.txt"
    )
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.chdir(folder)
        quiet_libraries()
        assert main([*arguments.split(), *QUICK]) == 0
    return folder


@pytest.fixture
def page_folder(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder with configurations, a text and a run, in which modules can be imported."""
    folder = tmp_path / "page"
    shutil.copytree(finished_run, folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    quiet_libraries()
    before = set(sys.modules)
    with registry.temporarily():
        yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def plugins_of(blocks: list[Block]) -> list[str]:
    modules = [block.file.removesuffix(".py") for block in blocks if block.file.endswith(".py")]
    return ["--plugins", ",".join(modules)] if modules else []


@each_page
def test_blocks_work_in_order(
    page: Path, page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet_libraries()
    namespace: dict[str, Any] = {"__name__": "documentation"}
    for block in blocks_of(page):
        if block.file:
            (page_folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            example = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()):
                exec(example, namespace)
        elif block.language == "bash" and not block.not_run:
            for command in commands_of(block):
                code, shown = run(command, monkeypatch)
                assert code == 0, f"{page.name}, line {block.line}: {shown}"


@each_page
def test_commands_that_are_not_run_are_right(page: Path, page_folder: Path) -> None:
    quiet_libraries()
    for block in (block for block in blocks_of(page) if block.not_run):
        for command in commands_of(block):
            assert command.words[0] in COMMANDS
            if command.words[0] == "fit":
                with contextlib.redirect_stdout(io.StringIO()):
                    assert main([*command.words, "--print_config"]) == 0


def test_few_commands_are_not_run() -> None:
    not_run = [block.not_run for page in PAGES for block in blocks_of(page) if block.not_run]

    assert len(not_run) <= MOST_NOT_RUN, not_run


@each_page
def test_configurations_are_accepted(page: Path, page_folder: Path) -> None:
    quiet_libraries()
    blocks = blocks_of(page)
    for block in blocks:
        if block.file.endswith(".py"):
            (page_folder / block.file).write_text(block.text, encoding="utf-8")
    for block in blocks:
        config = yaml.safe_load(block.text) if block.language == "yaml" else None
        if not isinstance(config, dict) or not set(config) <= KEYS:
            assert block.language != "yaml", f"{page.name}, line {block.line}: no configuration"
            continue
        (page_folder / "block.yaml").write_text(block.text, encoding="utf-8")
        whole = {"model", "data"} <= set(config) and "task" in config["model"]
        base = [] if whole else ["--config", "configs/char_generation.yaml"]
        words = ["fit", *plugins_of(blocks), *base, "--config", "block.yaml", "--print_config"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            assert main(words) == 0, f"{page.name}, line {block.line}: {err.getvalue()}"


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    local = [target.partition("#")[0] for target in targets if "://" not in target]

    assert [target for target in local if target and not (page.parent / target).exists()] == []


def test_the_navigation_has_every_page() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS)]

    assert sorted(_leaves(config["nav"])) == sorted(pages)


def _leaves(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    children = entry.values() if isinstance(entry, dict) else entry
    assert not isinstance(children, str)
    return [leaf for child in children for leaf in _leaves(child)]  # type: ignore[attr-defined]


def test_figures_are_as_drawn() -> None:
    figures = runpy.run_path(str(DOCS / "assets" / "draw.py"))["FIGURES"]
    drawn = {name: draw().svg() for name, draw in figures.items()}
    kept = {file.stem: file.read_text(encoding="utf-8") for file in (DOCS / "assets").glob("*.svg")}

    assert drawn == kept
