"""Plugins are loaded once, guarded and checked; names in files never import anything."""

import itertools
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqforge import discovery, registry
from seqforge.discovery import Group
from seqforge.errors import UserError
from seqforge.plugin_loading import base_class

MakeDistribution = Callable[..., Path]

SHAPES = "test.shapes"
_numbers = itertools.count()


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A group of plugins with a light base class; returns the base's module."""
    before = set(sys.modules)
    name = f"shapes_base_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text("class Shape: ...\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(discovery.PLUGINS_VARIABLE, raising=False)
    group = Group("shape", f"{name}:Shape", "model.shape")
    monkeypatch.setattr(discovery, "GROUPS", {SHAPES: group})
    monkeypatch.setattr(registry, "_current", None)
    yield name
    for module in set(sys.modules) - before:
        del sys.modules[module]


Install = Callable[..., None]


@pytest.fixture
def install(
    base: str, make_distribution: MakeDistribution, monkeypatch: pytest.MonkeyPatch
) -> Install:
    """Install a distribution of one module, with the given source and names of shapes."""

    def run(distribution: str, module: str, source: str, *names: str) -> None:
        text = f"from {base} import Shape\n" + textwrap.dedent(source)
        points = {SHAPES: {name: f"{module}:{name}" for name in names}}
        site = make_distribution(distribution, points, {f"{module}.py": text})
        monkeypatch.syspath_prepend(site)

    return run


def test_finds_by_short_name_and_class_path(install: Install) -> None:
    install("geometry", "geo_a", "class Disk(Shape): ...\nclass Ring(Shape): ...", "Disk", "Ring")

    loaded = registry.load()

    disk = loaded.find(SHAPES, "Disk")
    assert disk.__name__ == "Disk"
    assert loaded.find(SHAPES, "geo_a.Disk") is disk
    assert loaded.find(SHAPES, "geo_a:Disk") is disk
    assert loaded.names(SHAPES) == ["Disk", "Ring"]
    assert loaded.classes[SHAPES, "Disk"].cls is disk
    assert loaded.classes[SHAPES, "Disk"].entry.distribution == "geometry"


def test_a_re_exported_class_is_found_by_either_path(
    base: str, make_distribution: MakeDistribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "geo_b/__init__.py": "from ._disk import Disk",
        "geo_b/_disk.py": f"from {base} import Shape\nclass Disk(Shape): ...",
    }
    site = make_distribution("geometry", {SHAPES: {"Disk": "geo_b:Disk"}}, files)
    monkeypatch.syspath_prepend(site)

    loaded = registry.load()

    assert loaded.find(SHAPES, "geo_b.Disk") is loaded.find(SHAPES, "geo_b._disk.Disk")
    identity = loaded.identify(loaded.find(SHAPES, "Disk"))
    assert identity == {"class_path": "geo_b.Disk", "package": "geometry"}


def test_loads_once(install: Install) -> None:
    install("geometry", "geo_c", "class Disk(Shape): ...", "Disk")

    assert registry.load() is registry.load()


def test_a_broken_plugin_stops_nothing(install: Install) -> None:
    install("good", "geo_d", "class Disk(Shape): ...", "Disk")
    install("bad", "geo_bad", "\n\nraise ValueError('no luck')", "Ring")

    loaded = registry.load()

    assert loaded.names(SHAPES) == ["Disk"]
    (failure,) = loaded.failures.values()
    assert failure.summary == "ValueError: no luck"
    assert failure.place.endswith("geo_bad.py:4")
    assert "Traceback" in failure.traceback
    with pytest.raises(UserError) as caught:
        loaded.find(SHAPES, "Ring")
    assert "mend the plugin bad 1.0, which failed to load: ValueError: no luck (" in str(
        caught.value
    )


def test_strict_raises_for_a_broken_plugin(install: Install) -> None:
    install("bad", "geo_bad2", "import absent_dependency", "Ring")

    with pytest.raises(UserError, match=r"'Ring' of bad 1\.0 is broken: ModuleNotFoundError"):
        registry.load(strict=True)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class Disk(:", "SyntaxError: invalid syntax"),
        ("class Ring(Shape): ...", "AttributeError: module 'geo_e' has no attribute 'Disk'"),
        ("class Disk: ...", "geo_e.Disk is no shape: it does not extend"),
        ("Disk = 3", "geo_e.Disk is no shape"),
        ("Disk = Shape", "geo_e.Disk is no shape"),
        ("class Ring(Shape): ...\nDisk = Ring", "the entry point 'Disk' must be called 'Ring'"),
        (
            "class Disk(Shape):\n    def __init__(self, **options: int) -> None: ...",
            r"takes \*\*options: name every option",
        ),
        (
            "class Disk(Shape):\n    def __init__(self, size) -> None: ...",
            "gives no type for 'size'",
        ),
        (
            "import abc\nclass Disk(Shape, abc.ABC):\n    @abc.abstractmethod\n"
            "    def area(self): ...",
            "does not implement area",
        ),
    ],
)
def test_what_is_refused(source: str, problem: str, install: Install) -> None:
    install("geometry", "geo_e", source, "Disk")

    loaded = registry.load()

    assert loaded.names(SHAPES) == []
    (failure,) = loaded.failures.values()
    assert re.search(problem, failure.summary)


def test_a_refused_class_says_where_it_stands(install: Install) -> None:
    install("geometry", "geo_f", "\nclass Disk: ...", "Disk")

    (failure,) = registry.load().failures.values()

    assert failure.place.endswith("geo_f.py:3")


def test_the_bases_own_constructor_is_not_the_plugins_fault(
    base: str, install: Install, tmp_path: Path
) -> None:
    (tmp_path / f"{base}.py").write_text(
        "class Shape:\n    def __init__(self, *args, **kwargs): ...\n", encoding="utf-8"
    )
    install("geometry", "geo_g", "class Disk(Shape): ...", "Disk")

    assert registry.load().names(SHAPES) == ["Disk"]


def test_two_owners_of_a_name(install: Install) -> None:
    install("geometry", "geo_h", "class Disk(Shape): ...", "Disk")
    install("astronomy", "geo_i", "class Disk(Shape): ...", "Disk")

    loaded = registry.load()

    assert loaded.names(SHAPES) == []
    assert len(loaded.conflicts[SHAPES, "Disk"]) == 2
    with pytest.raises(UserError) as caught:
        loaded.find(SHAPES, "Disk")
    message = str(caught.value)
    assert "the name 'Disk' stands for more than one shape" in message
    assert "geo_h.Disk (geometry 1.0), geo_i.Disk (astronomy 1.0)" in message
    assert "give the full class path" in message
    assert loaded.find(SHAPES, "geo_i.Disk").__module__ == "geo_i"
    with pytest.raises(UserError, match="more than one shape"):
        registry.load(strict=True)


def test_unknown_name(base: str, install: Install) -> None:
    install("geometry", "geo_j", "class Disk(Shape): ...\nclass Ring(Shape): ...", "Disk", "Ring")

    with pytest.raises(UserError) as caught:
        registry.load().find(SHAPES, "disc", where="model.shape")

    lines = str(caught.value).splitlines()
    assert lines[0] == f"no shape is called 'disc' (base class {base}.Shape)"
    assert lines[1:4] == ["  where: model.shape", "  accepted: Disk, Ring", "  did you mean: Disk"]
    assert "--plugins MODULE" in lines[4]


def test_a_class_path_is_never_imported(base: str, tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text(
        f"from {base} import Shape\nclass Disk(Shape): ...\n", encoding="utf-8"
    )

    for name in ("trap.Disk", "trap:Disk", "os.system", "subprocess.Popen", f"{base}.Shape", ""):
        with pytest.raises(UserError, match="no shape is called"):
            registry.load().find(SHAPES, name)

    assert "trap" not in sys.modules


def test_classes_of_the_process_are_found(base: str) -> None:
    shape = base_class(SHAPES)
    first = type("Blob", (shape,), {"__module__": "__main__"})
    second = type("Blob", (shape,), {"__module__": "__main__"})
    loaded = registry.load()

    assert loaded.find(SHAPES, "__main__.Blob") is second  # a notebook cell that was run again
    assert loaded.find(SHAPES, "Blob") is second
    assert loaded.identify(second)["class_path"] == "__main__.Blob"
    assert loaded.identify(second)["package"] == "module __main__"
    assert loaded.names(SHAPES) == []
    del first

    other = type("Blob", (shape,), {"__module__": "elsewhere"})
    with pytest.raises(UserError, match=r"(?s)more than one.*__main__\.Blob, elsewhere\.Blob"):
        loaded.find(SHAPES, "Blob")
    assert loaded.find(SHAPES, "elsewhere.Blob") is other


def test_local_modules(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "my_shapes.py").write_text(
        f"from {base} import Shape\n"
        "class Disk(Shape): ...\n"
        "class _Hidden(Shape): ...\n"
        "class Bad(Shape):\n    def __init__(self, **kwargs): ...\n",
        encoding="utf-8",
    )
    (folder / "json.py").write_text("raise RuntimeError('the wrong one')", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv(discovery.PLUGINS_VARIABLE, "my_shapes")

    loaded = registry.load()

    assert loaded.names(SHAPES) == ["Disk"]
    assert [entry.name for entry in loaded.failures] == ["Bad"]
    identity = loaded.identify(loaded.find(SHAPES, "Disk"))
    assert identity == {"class_path": "my_shapes.Disk", "package": "module my_shapes"}
    assert registry.load(["my_shapes", "json"]).names(SHAPES) == ["Disk"]
    assert registry.load().modules == ("my_shapes", "json")


def test_a_module_that_cannot_be_imported_is_the_likely_cause(base: str) -> None:
    loaded = registry.load(["absent_shapes"])

    for name in ("Disk", "absent_shapes.Disk"):
        with pytest.raises(UserError, match="module absent_shapes, which failed to load: Module"):
            loaded.find(SHAPES, name)


def test_saved_classes(install: Install) -> None:
    install("geometry", "geo_k", "class Disk(Shape): ...", "Disk")
    loaded = registry.load()
    disk = loaded.find(SHAPES, "Disk")

    assert loaded.find_saved(SHAPES, loaded.identify(disk)) is disk


@pytest.mark.parametrize(
    ("package", "todo"),
    [
        ("absent-geometry", "pip install absent-geometry"),
        ("geometry", "geometry 1.0 is installed without it"),
        ("module my_shapes", "--plugins my_shapes"),
        ("x; rm -rf /", "install the package that has it"),
    ],
)
def test_a_saved_class_that_is_not_here(package: str, todo: str, install: Install) -> None:
    install("geometry", "geo_l", "class Disk(Shape): ...", "Disk")
    saved = {"class_path": "gone.Disk", "package": package}

    with pytest.raises(UserError) as caught:
        registry.load().find_saved(SHAPES, saved, where="best.ckpt")

    message = str(caught.value)
    assert "this was made with the shape 'gone.Disk' of" in message
    assert "where: best.ckpt" in message
    assert f"to do: {todo}" in message or todo in message


def test_a_saved_class_of_a_broken_plugin_shows_its_failure(install: Install) -> None:
    install("geometry", "geo_m", "raise ValueError('no luck')", "Disk")
    saved = {"class_path": "geo_m.Disk", "package": "geometry"}

    with pytest.raises(UserError, match="ValueError: no luck"):
        registry.load().find_saved(SHAPES, saved)


@pytest.mark.parametrize("saved", [{}, {"class_path": 3}, {"class_path": "a.B", "package": None}])
def test_a_checkpoint_that_names_no_class(saved: dict[str, object], base: str) -> None:
    with pytest.raises(UserError, match="does not say which shape"):
        registry.load().find_saved(SHAPES, saved)


def test_temporarily_adds_and_puts_back(base: str) -> None:
    before = registry.load()
    mine = type("Mine", (base_class(SHAPES),), {"__module__": __name__})

    with registry.temporarily((SHAPES, mine)) as changed:
        assert registry.load() is changed
        assert changed.find(SHAPES, "Mine") is mine
        assert changed.names(SHAPES) == ["Mine"]

    assert registry.load() is before


def test_temporarily_can_read_what_is_installed_again(base: str, install: Install) -> None:
    before = registry.load()
    install("geometry", "geo_n", "class Disk(Shape): ...", "Disk")

    with registry.temporarily(fresh=True) as changed:
        assert changed.names(SHAPES) == ["Disk"]

    assert registry.load() is before
    assert before.names(SHAPES) == []


def test_temporarily_refuses_what_a_plugin_may_not_do(base: str) -> None:
    before = registry.load()

    with pytest.raises(UserError, match=r"int is no shape"), registry.temporarily((SHAPES, int)):
        pass

    assert registry.load() is before
