"""The `seqforge` command, one module a subcommand."""
