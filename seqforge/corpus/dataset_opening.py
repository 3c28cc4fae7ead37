"""Opening a data set of the `datasets` library, with errors for who named it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqforge.errors import UserError, closest_path

Files = str | Sequence[str] | Mapping[str, str] | None
"""What files are read: some, or one for each split."""

BUILDERS = ("json", "csv", "text", "parquet")
"""Names of `load_dataset` that are no data set: they read given files."""

_PARTS = {"split": "split", "instruction": "split", "config": "configuration"}
"""What the library's messages are about, by a word of theirs."""


def require_named(dataset: str) -> None:
    """Refuse a data set without a name.

    Raises:
        UserError: The name is empty.
    """
    if not dataset.strip():
        raise UserError(
            "the data set's name is empty",
            where="data.dataset",
            todo="give a name on the Hub, a local folder, or a builder such as json",
        )


def open_dataset(
    dataset: str,
    configuration: str | None = None,
    *,
    split: str,
    files: Files = None,
    revision: str | None = None,
    streaming: bool = False,
) -> Any:
    """Return a split of a data set, as `datasets.load_dataset` gives it.

    Args:
        dataset: A name on the Hugging Face Hub, a local folder, or a builder such as "json".
        configuration: The configuration's name, for a data set that has several.
        split: The split, such as "train" or "train[:10%]".
        files: For builders and folders: the files to read.
        revision: Branch, tag or commit on the Hub; None: the newest.
        streaming: Read the rows as they come, without storing the data set itself.

    Raises:
        UserError: There is no such data set, or it cannot be fetched.
    """
    import datasets

    _require_present(dataset)
    _require_files(dataset, files)
    with explained(dataset, files):
        return datasets.load_dataset(
            dataset,
            configuration,
            split=split,
            data_files=files,
            revision=revision,
            streaming=streaming,
        )


def _require_present(dataset: str) -> None:
    """Refuse what can only be a local path, and is not there, before the Hub is asked for it."""
    path = Path(dataset)
    local = dataset.startswith((".", "/", "~")) or dataset.endswith("/") or dataset.count("/") > 1
    if not local or "://" in dataset or path.exists():
        return
    raise UserError(
        f"there is no folder or file '{dataset}', and no name on the Hub looks like this",
        where="data.dataset",
        closest=closest_path(dataset),
        todo="give a folder that exists, or a name on the Hub: owner/name",
    )


def _require_files(dataset: str, files: Files) -> None:
    """Refuse a builder without files: it would read all of the current folder."""
    if dataset in BUILDERS and not files and not Path(dataset).exists():
        raise UserError(
            f"the builder '{dataset}' is not told what to read",
            where="data.files",
            todo=f"name the files: --data.files 'songs/*.{dataset}'",
        )


@contextmanager
def explained(dataset: str, files: Files) -> Iterator[None]:
    """Say what the library's errors mean to who named the data set.

    Args:
        dataset: Its name.
        files: The files that were named.

    Raises:
        UserError: Instead of the library's errors.
    """
    from datasets.exceptions import DatasetNotFoundError, DatasetsError

    try:
        yield
    except DatasetNotFoundError as error:
        raise UserError(
            f"there is no data set '{dataset}', or it is private",
            where="data.dataset",
            todo="give a name as on the Hub (owner/name), a local folder, or a builder such as "
            "json with data.files; for a private one, log in: hf auth login",
        ) from error
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if _is_about_network(error):
            raise UserError(
                f"the data set '{dataset}' cannot be fetched: {reason}",
                where="data.dataset",
                todo="check the network (and HF_HUB_OFFLINE), or give a local folder",
            ) from error
        part = next((part for word, part in _PARTS.items() if word in reason.lower()), "dataset")
        if files is not None and isinstance(error, FileNotFoundError):
            part = "files"
        raise UserError(
            f"the data set '{dataset}' cannot be read: {reason}",
            where=f"data.{part}",
            todo="give files that exist"
            if part == "files"
            else "look at its page, or at its files, for the names that it has",
        ) from error


def _is_about_network(error: BaseException) -> bool:
    # The library hands on errors of whichever client it uses; their names agree, not their types.
    names = {type(each).__name__ for each in (error, error.__cause__, error.__context__) if each}
    return any(word in name for name in names for word in ("Connect", "Timeout", "Offline"))
