"""How a person comes in by the command line: one file per group of commands."""
