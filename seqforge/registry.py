"""Which encoders, tasks, data modules and image encoders there are: loaded once, found by name.

Importing a plugin runs its code, so this is the only place where that happens, and only for what
the user installed or named. A name in a checkpoint or a configuration never imports anything.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import metadata
from types import MappingProxyType, ModuleType

from seqforge import discovery
from seqforge.discovery import Entry
from seqforge.errors import UserError, closest_match
from seqforge.plugin_loading import (
    Failure,
    Registered,
    base_class,
    check_class,
    load_entry,
    load_module,
    path_of,
)

__all__ = ["Failure", "Registered", "Registry", "load", "temporarily"]


@dataclass(frozen=True)
class Registry:
    """What is loaded in this process, and what failed to load.

    Args:
        registered: The usable classes, in the order in which they were found.
        failures: The entries that could not be used.
        modules: The plugin modules, outside installed packages, that were loaded or failed.
    """

    registered: tuple[Registered, ...] = ()
    failures: Mapping[Entry, Failure] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    @cached_property
    def classes(self) -> Mapping[tuple[str, str], Registered]:
        """The classes by group and short name, without the names that two owners claim."""
        single = {key: owners[0] for key, owners in self._owners.items() if len(owners) == 1}
        return MappingProxyType(single)

    @cached_property
    def conflicts(self) -> Mapping[tuple[str, str], tuple[Registered, ...]]:
        """The short names that stand for more than one class, with all their owners."""
        several = {key: tuple(owners) for key, owners in self._owners.items() if len(owners) > 1}
        return MappingProxyType(several)

    @cached_property
    def _owners(self) -> dict[tuple[str, str], list[Registered]]:
        owners: dict[tuple[str, str], list[Registered]] = {}
        for each in self.registered:
            same_name = owners.setdefault((each.entry.group, each.entry.name), [])
            if all(other.cls is not each.cls for other in same_name):
                same_name.append(each)
        return owners

    def names(self, group: str) -> list[str]:
        """List the short names that can be used in a group.

        Args:
            group: A key of `discovery.GROUPS`.

        Returns:
            The names, sorted.
        """
        return sorted(name for owner, name in self.classes if owner == group)

    def find(self, group: str, name: str, *, where: str = "") -> type:
        """Look a class up, among those registered or already defined in this process.

        Args:
            group: A key of `discovery.GROUPS`.
            name: The short name or the dotted class path.
            where: The config key or file that holds the name, for the message.

        Returns:
            The class. Nothing is ever imported for the look-up.

        Raises:
            UserError: If no class has the name, if several have, or if its plugin is broken.
        """
        matches = [each for each in self.registered if _is_named(each, group, name)]
        found: dict[type, None] = dict.fromkeys(each.cls for each in matches)
        if not found and self._failure_of(group, name) is None:
            found = dict.fromkeys(_defined_in_process(group, name))
        if len(found) > 1:
            owners = [_owner(each) for each in matches] or [path_of(cls) for cls in found]
            raise _ambiguous(group, name, owners, where)
        if not found:
            raise self._unknown(group, name, where)
        return next(iter(found))

    def identify(self, cls: type) -> dict[str, str]:
        """Say how a checkpoint names a class.

        Args:
            cls: The class to save.

        Returns:
            `class_path`, by which `find_saved` finds the class again, and `package`, the
            distribution that has it (`module NAME` for code outside installed packages).
        """
        for each in self.registered:
            if each.cls is cls:
                return {
                    "class_path": each.entry.class_path,
                    "package": each.entry.distribution,
                }
        return {"class_path": path_of(cls), "package": f"module {cls.__module__}"}

    def find_saved(self, group: str, saved: Mapping[str, object], *, where: str = "") -> type:
        """Look up a class that `identify` described.

        Args:
            group: A key of `discovery.GROUPS`.
            saved: What `identify` returned, as read from a checkpoint.
            where: The checkpoint, for the message.

        Returns:
            The class. Nothing is ever imported for the look-up.

        Raises:
            UserError: If the class is not here; the message names the package to install.
        """
        noun = discovery.GROUPS[group].noun
        path, package = saved.get("class_path"), saved.get("package", "")
        if not isinstance(path, str) or not isinstance(package, str):
            raise UserError(
                f"the checkpoint does not say which {noun} it was made with",
                where=where,
                todo="use a checkpoint that seqforge wrote",
            )
        try:
            return self.find(group, path, where=where)
        except UserError as error:
            if self._failure_of(group, path) is not None or (group, path) in self.conflicts:
                raise
            raise UserError(
                f"this was made with the {noun} '{path}' of {package or 'an unknown package'}, "
                "which is not here",
                where=where,
                closest=error.closest,
                todo=_how_to_get(package),
            ) from error

    def _failure_of(self, group: str, name: str) -> Failure | None:
        for entry, failure in self.failures.items():
            if entry.group == group and name in (entry.name, entry.class_path, entry.target):
                return failure
            if not entry.group and name.startswith(f"{entry.target}."):
                return failure
        return None

    def _unknown(self, group: str, name: str, where: str) -> UserError:
        kind, names = discovery.GROUPS[group], self.names(group)
        failure = self._failure_of(group, name)
        broken_modules = [each for entry, each in self.failures.items() if not entry.group]
        if failure is None and broken_modules and "." not in name:
            failure = broken_modules[0]
        todo = (
            "install the package that has it (again, if its entry points are new), or name its "
            "module: --plugins MODULE"
        )
        if failure is not None:
            cause = f"{failure.summary} ({failure.place})" if failure.place else failure.summary
            todo = f"mend the plugin {failure.entry.origin}, which failed to load: {cause}"
        return UserError(
            f"no {kind.noun} is called '{name}' (base class {kind.base.replace(':', '.')})",
            where=where,
            accepted=names,
            closest=closest_match(name.rpartition(".")[2], names),
            todo=todo,
        )


def load(
    plugins: Sequence[str] = (), *, strict: bool = False, require_modules: bool = False
) -> Registry:
    """Load every installed plugin and the named modules, once per process.

    Args:
        plugins: Modules to load beside those of SEQFORGE_PLUGINS.
        require_modules: Raise for a named module that cannot be imported.
        strict: Raise for the first broken plugin or the first name with two owners.

    Returns:
        The registry. A broken plugin is recorded in it and stops nothing.

    Raises:
        UserError: If `strict` and a plugin is broken, or a name has two owners; if
            `require_modules` and a module that is named now cannot be imported.
    """
    global _current
    registry = Registry() if _current is None else _current
    if _current is None:
        registry = _with(registry, (load_entry(entry) for entry in discovery.entries()))
    named = discovery.plugin_modules(plugins)
    for module in named:
        if module not in registry.modules:
            registry = _with(registry, load_module(module), module)
    _current = registry
    if require_modules:
        _raise_missing(registry, named)
    if strict:
        _raise_first(registry)
    return registry


@contextmanager
def temporarily(*additions: tuple[str, type], fresh: bool = False) -> Iterator[Registry]:
    """Change what is registered until the block ends.

    Args:
        *additions: Pairs of a group and a class to register in it.
        fresh: Forget what is loaded, so that the installed plugins are read again.

    Yields:
        The changed registry, which `load` returns inside the block as well.

    Raises:
        UserError: If an added class breaks its group's rules.
    """
    global _current
    before = _current
    try:
        if fresh:
            _current = None
        registry = load()
        for group, cls in additions:
            outcome = check_class(group, cls, "temporary")
            if isinstance(outcome, Failure):
                raise UserError(outcome.summary, where=outcome.place)
            registry = _with(registry, [outcome])
        _current = registry
        yield registry
    finally:
        _current = before


_current: Registry | None = None


def _with(
    registry: Registry, outcomes: Iterable[Registered | Failure], module: str = ""
) -> Registry:
    registered, failures = list(registry.registered), dict(registry.failures)
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures[outcome.entry] = outcome
        else:
            registered.append(outcome)
    modules = (*registry.modules, module) if module else registry.modules
    return replace(registry, registered=tuple(registered), failures=failures, modules=modules)


def _raise_missing(registry: Registry, named: Sequence[str]) -> None:
    for entry, failure in registry.failures.items():
        if entry.group or entry.target not in named:
            continue
        missing = isinstance(failure.exception, ModuleNotFoundError) and not failure.place
        todo = "check its name: modules of the current folder and installed ones can be named"
        raise UserError(
            f"the plugin module '{entry.target}' cannot be imported: {failure.summary}",
            where=failure.place or f"--plugins or {discovery.PLUGINS_VARIABLE}",
            todo=todo if missing else "mend it, or do not name it",
        ) from failure.exception


def _raise_first(registry: Registry) -> None:
    for entry, failure in registry.failures.items():
        raise UserError(
            f"the plugin '{entry.name}' of {entry.origin} is broken: {failure.summary}",
            where=failure.place,
            todo="seqforge plugins --check shows every broken plugin",
        ) from failure.exception
    for (group, name), owners in registry.conflicts.items():
        raise _ambiguous(group, name, [_owner(each) for each in owners], "")


def _ambiguous(group: str, name: str, owners: Iterable[str], where: str) -> UserError:
    return UserError(
        f"the name '{name}' stands for more than one {discovery.GROUPS[group].noun}",
        where=where,
        accepted=owners,
        todo="give the full class path of the one you mean",
    )


def _owner(each: Registered) -> str:
    return f"{each.entry.class_path} ({each.entry.origin})"


def _is_named(each: Registered, group: str, name: str) -> bool:
    names = (each.entry.name, each.entry.class_path, each.entry.target, path_of(each.cls))
    return each.entry.group == group and name in names


def _defined_in_process(group: str, name: str) -> list[type]:
    base = base_class(group)
    # A re-export path, and the newest of a notebook's redefinitions: read, never imported.
    path, _, attribute = name.rpartition(".")
    module = sys.modules.get(path)
    exported = vars(module).get(attribute) if isinstance(module, ModuleType) else None
    if isinstance(exported, type) and issubclass(exported, base) and exported is not base:
        return [exported]
    by_path = {path_of(cls): cls for cls in _subclasses(base)}
    return [cls for path, cls in by_path.items() if name in (path, cls.__name__)]


def _subclasses(base: type) -> Iterator[type]:
    below: list[type] = base.__subclasses__()
    for cls in below:
        yield cls
        yield from _subclasses(cls)


def _how_to_get(package: str) -> str:
    kind, _, module = package.rpartition(" ")
    if kind == "module":
        return f"name the module that defines it: --plugins {module}"
    # The name comes from a file: only what can be a package's name goes into a command to type.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", package):
        return "install the package that has it, or name its module: --plugins MODULE"
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"pip install {package}"
    return f"{package} {version} is installed without it: install the version that has it"
