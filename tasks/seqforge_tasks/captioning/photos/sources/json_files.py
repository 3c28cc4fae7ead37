"""Reading files that are one JSON object."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from seqforge.errors import UserError


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file; with the ending `.gz` it is unpacked on the way.

    Raises:
        UserError: The file cannot be read, or is something else.
    """
    try:
        data = path.read_bytes()
        found = json.loads(gzip.decompress(data) if path.name.endswith(".gz") else data)
    except (ValueError, RecursionError, EOFError, OSError) as error:
        raise UserError(
            f"'{path}' cannot be read as JSON: {error}",
            where="data.path",
            todo="fetch it again, or give another file",
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"'{path}' holds a {type(found).__name__}, not an object",
            where="data.path",
            todo="give JSON as Karpathy's splits or COCO's captions have it",
        )
    return found


def member(row: object, key: str, kind: type, place: str) -> Any:
    """Return what an object has under a key.

    Raises:
        UserError: It has nothing there, or something of another type.
    """
    found = row.get(key) if isinstance(row, dict) else None
    if not isinstance(found, kind):
        raise UserError(
            f"{place} has no '{key}' as it should have",
            where="data.path",
            todo="mend the file, or say what it is: --data.format NAME",
        )
    return found
