"""The command `ml-connector`, also as `python -m ml_connector`."""

import sys


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    from ml_connector.cli.main import app  # noqa: PLC0415 - starting is cheap until it is used

    sys.exit(app())


if __name__ == "__main__":
    main()
