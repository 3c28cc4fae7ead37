"""Files by name, wherever they lie."""
