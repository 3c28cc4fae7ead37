"""What every test shares: a guard against leaks, the command line, made-up plugins, the data."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

# Tiny networks gain nothing from a second thread, and lose much where the cores are busy. Here,
# before torch is imported, and so that the processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What libraries set for themselves, on import or when a seed is given, is not a test's leak.
_SET_BY_LIBRARIES = ("PYTEST_", "PL_", "PYTORCH_", "TORCH", "CUDA_", "TF_", "KMP_", "OMP_", "HF_")

RunCli = Callable[..., tuple[int, str, str]]
MakeDistribution = Callable[..., Path]
InstallPlugin = Callable[[Path], dict[str, str]]


@pytest.fixture(autouse=True)
def _leaves_no_trace() -> Iterator[None]:
    # Autouse, so set up before monkeypatch and torn down after it has undone its changes.
    variables, folder, path = dict(os.environ), Path.cwd(), list(sys.path)
    yield
    leaked = {
        name
        for name in variables.keys() | os.environ.keys()
        if variables.get(name) != os.environ.get(name) and not name.startswith(_SET_BY_LIBRARIES)
    }
    moved_to = Path.cwd()
    for name in leaked | {"PL_GLOBAL_SEED", "PL_SEED_WORKERS"}:
        if name in variables:
            os.environ[name] = variables[name]
        else:
            os.environ.pop(name, None)
    os.chdir(folder)
    sys.path[:] = path
    assert not leaked, f"the test leaves environment variables changed: {sorted(leaked)}"
    assert moved_to == folder, f"the test leaves the current folder changed to {moved_to}"


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """Run `seqforge ARGUMENTS` in a process of its own, in tmp_path.

    Call it as `code, out, err = run_cli("plugins", "--check", env={...}, timeout=60)`.
    """

    def run(
        *args: str, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 240
    ) -> tuple[int, str, str]:
        # The installed command has no current folder on its path; `-m` would add it.
        finished = subprocess.run(
            [sys.executable, "-m", "seqforge", *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONSAFEPATH": "1", **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return finished.returncode, finished.stdout, finished.stderr

    return run


@pytest.fixture
def make_distribution(tmp_path: Path) -> MakeDistribution:
    """Write an installed-looking distribution and return the folder to put on the path.

    Call it as `make_distribution("name", {"seqforge.tasks": {"Mine": "pkg:Mine"}}, {"pkg.py": …})`.
    """

    def make(
        name: str,
        entry_points: Mapping[str, Mapping[str, str]],
        files: Mapping[str, str],
        version: str = "1.0",
    ) -> Path:
        site = tmp_path / f"site-{name}"
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
        )
        lines = []
        for group, members in entry_points.items():
            lines += [f"[{group}]", *(f"{key} = {value}" for key, value in members.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        for path, text in files.items():
            file = site / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return site

    return make


@pytest.fixture(scope="session")
def install_plugin(tmp_path_factory: pytest.TempPathFactory) -> InstallPlugin:
    """Install a plugin package from its source, offline, into a folder of its own.

    Call it as `env = install_plugin(source)`; processes with that environment see the package.
    """

    def install(source: Path) -> dict[str, str]:
        # From a copy, because building leaves files beside the sources.
        copy, site = tmp_path_factory.mktemp("source") / "copy", tmp_path_factory.mktemp("site")
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("runs", "__pycache__", ".*"))
        offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "install", "-q", *offline]
        command += ["--target", str(site), str(copy)]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
        path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}

    return install


@pytest.fixture
def data_root() -> Path:
    """The folder of the real data sets, or a skip that says what to set."""
    root = os.environ.get("SEQFORGE_DATA", "")
    if not root or not Path(root).is_dir():
        pytest.skip("SEQFORGE_DATA is not set to the folder with the real data sets")
    return Path(root)
