"""Which script a character belongs to, told by its Unicode name: a third party's task."""

from .data import UnicodeNames as UnicodeNames
from .task import UnicodeScript as UnicodeScript

__all__ = ["UnicodeNames", "UnicodeScript"]
