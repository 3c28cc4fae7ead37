"""Plugins are listed and described without importing them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqforge import discovery
from seqforge.discovery import Entry, describe, describe_module, entries, plugin_modules

MakeDistribution = Callable[..., Path]

_CLASS = '''"""A module."""

class Mine:
    """Does one thing.

    And more.
    """

    class Inner:
        """Inside."""
'''


def _entry(target: str) -> Entry:
    return Entry(discovery.TASKS, "Mine", target, "dist", "1.0")


def test_entries_come_from_metadata_alone(
    make_distribution: MakeDistribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {discovery.TASKS: {"Zeta": "absent_package.module:Zeta"}}
    monkeypatch.syspath_prepend(make_distribution("other-plugin", points, {}, version="2.5"))

    found = [entry for entry in entries(discovery.TASKS) if entry.name == "Zeta"]

    assert found == [
        Entry(discovery.TASKS, "Zeta", "absent_package.module:Zeta", "other-plugin", "2.5")
    ]
    assert found[0].class_path == "absent_package.module.Zeta"
    assert found[0].origin == "other-plugin 2.5"
    assert "absent_package" not in sys.modules


def test_entries_of_all_groups_include_the_projects_own() -> None:
    owned = {e.group for e in entries() if e.distribution == "seqforge-lightning"}

    assert owned == set(discovery.GROUPS)


def test_entries_of_an_unknown_group() -> None:
    with pytest.raises(ValueError, match=r"no plugin group 'seqforge\.tusks'; there are seqforge"):
        entries("seqforge.tusks")


@pytest.mark.parametrize(
    "initial",
    [
        "from .inner.deep import Mine",
        "from pkg_a.inner.deep import Mine",
        "from .inner import *",
        "if True:\n    from .inner import Mine",
        "try:\n    from .inner import Mine\nexcept ImportError:\n    pass",
    ],
)
def test_describe_follows_re_exports_without_importing(
    initial: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / "pkg_a" / "inner" / "deep.py"
    deep.parent.mkdir(parents=True)
    deep.write_text(_CLASS, encoding="utf-8")
    (deep.parent / "__init__.py").write_text("from .deep import Mine", encoding="utf-8")
    (tmp_path / "pkg_a" / "__init__.py").write_text(
        f"{initial}\nraise RuntimeError('imported')", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)

    found = describe(_entry("pkg_a:Mine"))

    assert (found.file, found.line, found.summary) == (str(deep), 3, "Does one thing.")
    assert not [name for name in sys.modules if name.startswith("pkg_a")]


def test_describe_a_renamed_and_a_nested_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "single.py").write_text(_CLASS, encoding="utf-8")
    (tmp_path / "front.py").write_text("from single import Mine as Yours", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    assert describe(_entry("single:Mine.Inner")).line == 9
    assert describe(_entry("front:Yours.Inner")).summary == "Inside."
    assert describe(_entry("single:Mine.Absent")).line == 0


def test_describe_finds_parts_of_a_namespace_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("one", "two"):
        folder = tmp_path / part / "spread_out"
        folder.mkdir(parents=True)
        (folder / f"{part}.py").write_text(_CLASS, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / part)

    assert describe(_entry("spread_out.one:Mine")).line == 3
    assert describe(_entry("spread_out.two:Mine")).line == 3


@pytest.mark.parametrize("text", ["class Mine(:", "from .loop import Mine", "", "class Mine: ..."])
def test_describe_never_fails(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    assert describe(_entry("loop:Mine")).summary == ""
    assert describe(_entry("loop.sub:Mine")).summary == ""
    assert describe(_entry("absent_package.sub:Mine")).summary == ""


def test_describe_module_looks_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local_tasks.py").write_text('"""My tasks."""\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert describe_module("local_tasks").summary == "My tasks."
    assert describe_module("local_tasks").file == str(tmp_path / "local_tasks.py")
    assert describe_module("absent_tasks") == discovery.Description("", 0, "")


def test_describe_reads_this_editable_install() -> None:
    entry = next(e for e in entries(discovery.TASKS) if e.name == "CharGeneration")

    assert describe(entry).summary
    assert Path(describe(entry).file).is_file()


def test_plugin_modules_are_joined_and_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(discovery.PLUGINS_VARIABLE, "a, b.c,,a")

    assert plugin_modules(["d,b.c", " e "]) == ["a", "b.c", "d", "e"]


def test_no_plugin_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(discovery.PLUGINS_VARIABLE, raising=False)

    assert plugin_modules() == []
