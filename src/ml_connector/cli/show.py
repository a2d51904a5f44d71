"""What commands print: JSON for programs, plain tables for people."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ml_connector.basics.money import Money

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def as_json(value: object) -> None:
    """One JSON object on one line; money as exact decimal text with its currency."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def money(amount: Money) -> dict[str, str]:
    """An amount for JSON: exact decimal text and the currency."""
    return {"amount": f"{amount.decimal:f}", "currency": amount.currency}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; columns whose name ends with a space hold amounts, set to the right."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column.endswith(" ") else "left")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    out.print(made)


def say(sentence: str, *, mark: str = "", colour: str = "") -> None:
    """A sentence for people, after a coloured word; addresses in it are never broken.

    What the words quote (names, texts of documents) is printed as it is, brackets and all.
    """
    out.print(Text.assemble((mark, colour), " " if mark else "", sentence), soft_wrap=True)


def note(sentence: str) -> None:
    """A sentence beside the result: on standard error, so that pipes stay clean."""
    err.print(Text(sentence), soft_wrap=True)


def error(sentence: str, remedy: str) -> None:
    """What went wrong and what to try."""
    err.print(Text.assemble(("error", "bold red"), " ", sentence), soft_wrap=True)
    if remedy:
        err.print(Text(f"      {remedy}"), soft_wrap=True)


def progress(*, shown: bool) -> "AbstractContextManager[Progress | None]":
    """Progress bars on standard error while a person looks; nothing otherwise."""
    if not shown:
        return nullcontext()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        console=err,
        transient=False,
    )
