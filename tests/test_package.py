"""The package as a user meets it: light to import, typed, complete."""

import importlib
import subprocess
import sys
import time
from importlib import metadata, resources

import pytest

import seqforge

_HEAVY = "{'torch', 'pytorch_lightning', 'jsonargparse', 'numpy', 'pandas', 'rich'}"


def _python(code: str, *args: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True, timeout=60
    )
    return finished.stdout


def test_version_is_the_distributions() -> None:
    assert seqforge.__version__ == metadata.version("seqforge-lightning")


def test_importing_is_light() -> None:
    assert _python(f"import sys, seqforge; print({_HEAVY} & set(sys.modules))") == "set()\n"


@pytest.mark.parametrize("args", [["--help"], [], ["--version"], ["plugins"], ["fitt"]])
def test_quick_commands_import_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys; from seqforge.cli.main import main; main(sys.argv[1:]); "
        f"print({_HEAVY} & set(sys.modules))"
    )

    assert _python(code, *args).splitlines()[-1] == "set()"


@pytest.mark.parametrize("command", ["--help", "plugins"])
def test_quick_commands_take_less_than_half_a_second(command: str) -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "seqforge", command], check=True, capture_output=True, timeout=60
        )
        seconds.append(time.perf_counter() - start)

    assert min(seconds) < 0.5  # 0.1 s is usual


@pytest.mark.parametrize("name", seqforge.__all__)
def test_public_names_resolve(name: str) -> None:
    value = getattr(seqforge, name)

    if name != "__version__":
        assert value.__module__.startswith("seqforge.")
        assert vars(seqforge)[name] is value


def test_the_table_of_homes_is_complete() -> None:
    homes = {name for names in seqforge._HOMES.values() for name in names}

    assert homes | {"__version__"} == set(seqforge.__all__)
    assert set(seqforge.__all__) <= set(dir(seqforge))


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'seqforge' has no attribute 'Lstm'"):
        _ = seqforge.Lstm  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", ["seqforge", "seqforge_tasks"])
def test_is_typed(package: str) -> None:
    assert resources.files(importlib.import_module(package)).joinpath("py.typed").is_file()
