"""What a user sees when something goes wrong: short messages, fixed exit codes."""

import difflib
import importlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Final

OK: Final = 0
FAILURE: Final = 1
USER_MISTAKE: Final = 2
RESUME_ME: Final = 75
INTERRUPTED: Final = 130

_LINE_WIDTH = 160


class UserError(Exception):
    """A user's mistake, shown as at most five lines, without a traceback.

    Args:
        given: What was given, as a sentence that says what is wrong with it.
        where: The config key, file or line that holds it.
        accepted: The names that would have been accepted; shown sorted, cut when long.
        closest: The accepted name that comes nearest to the one given.
        todo: The one thing to do next.
    """

    def __init__(
        self,
        given: str,
        *,
        where: str = "",
        accepted: Iterable[str] = (),
        closest: str = "",
        todo: str = "",
    ) -> None:
        # Only `given` goes into args: pickling then rebuilds the error from it and restores the
        # other parts as attributes, so that it survives the way back from a worker process.
        super().__init__(given)
        self.given = given
        self.where = where
        self.accepted = tuple(sorted(accepted))
        self.closest = closest
        self.todo = todo

    def __str__(self) -> str:
        lines = [_one_line("", self.given)]
        if self.where:
            lines.append(_one_line("  where: ", self.where))
        if self.accepted:
            lines.append(_shortened_list("  accepted: ", self.accepted))
        if self.closest:
            lines.append(_one_line("  did you mean: ", self.closest))
        if self.todo:
            lines.append(_one_line("  to do: ", self.todo))
        return "\n".join(lines)


class MissingExtra(UserError):
    """An optional package is needed and is not installed, or cannot be imported."""


def require(package: str, extra: str) -> ModuleType:
    """Import an optional package.

    Args:
        package: The name to import, such as `onnxruntime`.
        extra: The extra of this distribution that installs it.

    Returns:
        The imported module.

    Raises:
        MissingExtra: If it cannot be imported; the message has the line that installs it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        absent = getattr(error, "name", None) in (package, package.partition(".")[0])
        problem = "is not installed" if absent else f"cannot be imported: {error}"
        raise MissingExtra(
            f"the package '{package}', which this needs, {problem}",
            todo=f'pip install "seqforge-lightning[{extra}]"',
        ) from error


def closest_match(name: str, candidates: Iterable[str]) -> str:
    """Find the candidate that a misspelt name was most likely meant to be.

    Args:
        name: What was given.
        candidates: What would have been accepted.

    Returns:
        The nearest candidate as it is spelt, or "" if none is near. Case, underscores and dashes
        do not count.
    """
    spelt: dict[str, str] = {}
    for candidate in sorted(candidates):
        spelt.setdefault(_folded(candidate), candidate)
    matches = difflib.get_close_matches(_folded(name), spelt, n=1)
    return spelt[matches[0]] if matches else ""


def closest_path(name: str) -> str:
    """Find the neighbour that a misspelt file or folder was most likely meant to be.

    Args:
        name: The path that was given.

    Returns:
        As `closest_match`, among what lies in the same folder; "" if there is no such folder.
    """
    folder = Path(name).parent
    return closest_match(name, map(str, folder.glob("*")) if folder.is_dir() else ())


def _folded(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _one_line(label: str, text: str) -> str:
    # Names come from files too: control characters must not reach the terminal.
    words = "".join(sign if sign.isprintable() else " " for sign in text).split()
    line = label + " ".join(words)
    return line if len(line) <= _LINE_WIDTH else line[: _LINE_WIDTH - 1] + "…"


def _shortened_list(label: str, names: tuple[str, ...]) -> str:
    for shown in range(len(names), 1, -1):
        rest = len(names) - shown
        text = ", ".join(names[:shown]) + (f", … and {rest} more" if rest else "")
        if len(label) + len(text) <= _LINE_WIDTH:
            return _one_line(label, text)
    return _one_line(label, names[0])
