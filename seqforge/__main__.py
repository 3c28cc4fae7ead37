"""`python -m seqforge`: the same as the `seqforge` command."""

from seqforge.cli.main import entry

if __name__ == "__main__":
    entry()
