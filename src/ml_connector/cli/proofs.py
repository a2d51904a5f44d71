"""Signed proofs: one payout or a month of them, checked anywhere, without an installation."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.basics.ids import StripeId, in_words
from ml_connector.cli.frame import Exit, Json, Name, Office, opened, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml_connector.books.certificate import Certificate
    from ml_connector.books.opening_paper import OpeningPaper
    from ml_connector.books.proof import Changed, Proof
    from ml_connector.books.sealed import Facts, Paper
    from ml_connector.vault.signing import SigningKey

proof = App(name="proof", help="Prove payouts to the cent; signed, and checked anywhere.")

HEADS = ("payout", "opening")
"""The kinds of a paper's first line, which says what it is of."""

Out = Annotated[Path | None, Parameter(name="--out", help="Write the signed proof (JSON) here.")]
Page = Annotated[Path | None, Parameter(name="--page", help="Write a page to read or print here.")]


@proof.default
def of_payout(
    payout: str, *, out: Out = None, page: Page = None, connection: Name = "", json: Json = False
) -> int:
    """Prove one payout: each member, the document that carries it, and the sum to the cent."""

    async def body(office: Office) -> int:
        paper, key = await _paper(office, payout, connection)
        _write_signed(paper, key, out, page)
        if json:
            from ml_connector.books.sealed import key_id
            from ml_connector.cli import show

            proven = paper.proof
            facts = {"proven": proven.proven, "verdict": proven.verdict, "gaps": proven.gaps}
            named = {"key_id": key_id(key.public), "key": key.public}
            show.as_json(facts | {"proof": proven} | named)
        else:
            _show(paper.proof)
        return _exit(paper.proof)

    return opened(body, as_json=json)


def _exit(found: "Proof") -> int:
    """Returned money is settled too; a transfer alone asks for a person's eye."""
    from ml_connector.books.proof import Verdict

    settled = found.verdict in {Verdict.PROVEN, Verdict.RETURNED}
    return Exit.OK if settled else Exit.ATTENTION


async def _paper(office: Office, payout: str, connection: str) -> "tuple[Certificate, SigningKey]":
    from ml_connector.basics.errors import AskAPerson
    from ml_connector.flows.review.proofs import certificate
    from ml_connector.store import signing

    c = await office.board.connected(await office.only(connection))
    found = await certificate(c, StripeId(payout))
    if found is None:
        raise AskAPerson(
            f"The payout {payout} was never seen.",
            cause="proof.unknown_payout",
            remedy="Check its number, or run `ml-connector sync` first.",
        )
    async with office.place.store.transaction() as tx:
        return found, await signing.key(tx, office.place.keyring)


def _write_signed(
    paper: "Certificate", key: "SigningKey", out: Path | None, page: Path | None
) -> None:
    from ml_connector.cli.proof_page import page_of
    from ml_connector.flows.review.proofs import signed

    if out is not None or page is not None:
        _write(signed(paper, key), page_of, out, page)


def _write(
    text: str, page_of: "Callable[[Paper], str]", out: Path | None, page: Path | None
) -> None:
    """Both files, made from the same signed text."""
    from ml_connector.flows.review.proofs import checked

    if out is not None:
        _write_file(out, text)
    if page is not None:
        _write_file(page, page_of(checked(text)))


def _write_file(place: Path, content: str) -> None:
    from ml_connector.basics.errors import Misconfigured

    try:
        place.write_text(content, "utf-8")
    except OSError as error:
        raise Misconfigured(
            f"{place} cannot be written: {error.strerror}.",
            cause="proof.file",
            remedy="Give a file in a folder that exists and that you may write to.",
        ) from error


def _show(found: "Proof") -> None:
    from ml_connector.cli import show

    rows = [
        (member.transaction, f"{member.type}/{member.category}", str(member.net),
         ", ".join(in_words(one.document) for one in member.carried))
        for member in found.members
    ]  # fmt: skip
    show.table(f"Payout {found.payout}", ("transaction", "kind", "net ", "documents"), rows)
    show.say(f"Members {found.sum_of_members}, payout {found.amount}.")
    colour = "yellow" if _exit(found) else "green"
    show.say(found.statement, mark=found.verdict, colour=colour)
    for gap in found.gaps:
        show.say(f"  {gap}")
    _show_changed(found.changed)


def _show_changed(changed: "Sequence[Changed]") -> None:
    from ml_connector.cli import show

    for one in changed:
        show.say(f"  {one.sentence} ({one.decision})", mark="changed", colour="yellow")


@proof.command(name="opening")
def of_opening(
    currency: str, *, out: Out = None, page: Page = None, connection: Name = "", json: Json = False
) -> int:
    """The signed paper of a currency's opening position: what Stripe held, and the entry for it.

    Exit code 0: it is in the ledger. 1: not yet, or not any more as it was posted.
    """

    async def body(office: Office) -> int:
        from ml_connector.books.opening_paper import STATEMENTS, Standing
        from ml_connector.cli import show
        from ml_connector.cli.opening_page import page_of
        from ml_connector.flows.review.openings import signed_opening

        paper, key = await _opening_paper(office, currency.upper(), connection)
        _write(signed_opening(paper, key), page_of, out, page)
        stands = paper.standing is not Standing.NOT_IN_THE_LEDGER
        if json:
            show.as_json({"standing": paper.standing, "position": paper.position,
                          "accounts": paper.holdings, "changed": paper.changed,
                          "key": key.public})  # fmt: skip
        else:
            rows = [(one.account, str(one.held), str(one.entered), str(one.holds))
                    for one in paper.holdings]  # fmt: skip
            title = f"Opening position {paper.position.currency} before {paper.position.day}"
            show.table(title, ("account", "held ", "entry ", "holds "), rows)
            colour = "green" if stands else "yellow"
            show.say(STATEMENTS[paper.standing], mark=paper.standing, colour=colour)
            _show_changed(paper.changed)
        return Exit.OK if stands else Exit.ATTENTION

    return opened(body, as_json=json)


async def _opening_paper(
    office: Office, currency: str, connection: str
) -> "tuple[OpeningPaper, SigningKey]":
    from ml_connector.basics.errors import AskAPerson
    from ml_connector.flows.review.openings import opening_paper
    from ml_connector.store import signing

    c = await office.board.connected(await office.only(connection))
    found = await opening_paper(c, currency)
    if found is None:
        raise AskAPerson(
            f"No opening position of {currency} is kept.",
            cause="proof.no_opening",
            remedy="Post it first with `ml-connector opening --post`, or check the currency.",
        )
    async with office.place.store.transaction() as tx:
        return found, await signing.key(tx, office.place.keyring)


@proof.command(name="all")
def every(
    *,
    out: Annotated[Path, Parameter(help="The folder that the proofs are written into.")],
    since: Annotated[str, Parameter(help="Payouts that arrive on this day or later.")] = "",
    pages: Annotated[bool, Parameter(negative="", help="Write the readable pages too.")] = False,
    connection: Name = "",
    json: Json = False,
) -> int:
    """Write the signed proof of every payout, a file each; exit code 1 when one is not proven."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.given import day_given
        from ml_connector.flows.review.proofs import arrived

        c = await office.board.connected(await office.only(connection))
        out.mkdir(parents=True, exist_ok=True)
        found: list[Proof] = []
        for payout in await arrived(c, day_given("--since", since) if since else None):
            paper, key = await _paper(office, payout, c.id)
            page = out / f"{payout}.html" if pages else None
            _write_signed(paper, key, out / f"{payout}.json", page)
            found.append(paper.proof)
        if json:
            facts = [{"payout": one.payout, "verdict": one.verdict, "gaps": one.gaps,
                      "amount": show.money(one.amount)} for one in found]  # fmt: skip
            show.as_json({"folder": out, "proofs": facts})
        else:
            rows = [(one.payout, str(one.amount), str(one.verdict)) for one in found]
            show.table(f"Proofs in {out}", ("payout", "amount ", "verdict"), rows)
        return max((_exit(one) for one in found), default=Exit.OK)

    return opened(body, as_json=json)


@proof.command(name="key")
def public(*, json: Json = False) -> int:
    """Print the public key in force; `keys show` prints the former ones too. Made at first need."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.store import signing

        async with office.place.store.transaction() as tx:
            key = await signing.key(tx, office.place.keyring)
        if json:
            show.as_json({"key": key.public})
        else:
            show.say(key.public)
        return Exit.OK

    return opened(body, as_json=json)


@proof.command
def verify(
    file: Annotated[Path, Parameter(help="A proof that was written with --out.")],
    *,
    key: Annotated[
        str,
        Parameter(help="Who must have signed it: a key's id, a public key, or a file of keys."),
    ] = "",
    json: Json = False,
) -> int:
    """Check a signed paper offline: each signature, and every sum computed again.

    Anybody can make a key: only with --key does it show that this installation has signed. The
    file that `keys show` prints holds the former keys too, so that proofs before a rotation pass.

    Exit code 0: as it was signed, and it adds up. 1: changed, by another key, or it does not add
    up; the line is named. 2: not a proof, or not a key.
    """

    async def body() -> int:
        from ml_connector.flows.review.proofs import checked

        paper = checked(_read(file, "proof"))
        pins = _pinned(key)
        other = bool(pins) and paper.key_id not in pins
        _say_verified(paper, pinned=bool(pins), other=other, as_json=json)
        return Exit.ATTENTION if paper.complaints or other else Exit.OK

    return run(body, as_json=json)


def _pinned(key: str) -> set[str]:
    """The ids of the keys that may have signed: as a person gave them; none when none was given."""
    from ml_connector.books.sealed import KEY_ID_DIGITS, key_id
    from ml_connector.vault.signing import public_keys

    if not key:
        return set()
    if Path(key).is_file():
        return {key_id(one) for one in public_keys(_read(Path(key), "key"))}
    if re.fullmatch(rf"[0-9a-fA-F]{{{KEY_ID_DIGITS}}}", key):
        return {key.lower()}
    return {key_id(one) for one in public_keys(key)}


def _read(file: Path, what: str) -> str:
    from ml_connector.basics.errors import Misconfigured

    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"The file {file} cannot be read.",
            cause=f"{what}.file",
            remedy="Check its name, and that it is the file that was written.",
        ) from error


def _called(head: "Facts") -> str:
    """What a paper is of."""
    if head.get("what") == "opening":
        return f"opening position before {head.get('day')} of {head.get('balance')}"
    return f"payout {head.get('payout')} of {head.get('amount')}"


def _say_verified(paper: "Paper", *, pinned: bool, other: bool, as_json: bool) -> None:
    from ml_connector.cli import show

    head = next(facts for _, facts in paper.lines if facts.get("what") in HEADS)
    sound = not paper.complaints and not other
    if as_json:
        complaints = [{"line": one.line, "sentence": one.sentence} for one in paper.complaints]
        facts = {"sound": sound, "paper": paper.name, "key_id": paper.key_id, "key": paper.key,
                 "pinned": pinned, "other_key": other, "verdict": head.get("verdict"),
                 "complaints": complaints}  # fmt: skip
        show.as_json(facts)
        return
    for one in paper.complaints:
        show.error(f"line {one.line}: {one.sentence}", "")
    if other:
        told = f"It was signed by a key that you did not name: {paper.key_id} ({paper.key})."
        show.error(told, "Do not rely on it. Ask the installation's owner for `keys show`.")
    if sound:
        show.say(f"{_called(head)}: {head.get('verdict')}.", mark="sound")
        show.say(f"{head.get('statement')} Signed {head.get('at')}.")
    if pinned and not other:
        show.say(f"Signed by key {paper.key_id}, which you named.")
    if not pinned:
        show.say(f"Signed by key {paper.key_id} ({paper.key}).")
        told = "Whose key that is was not checked. Name the one you expect with --key, as"
        printed = "`ml-connector keys show` of the installation prints it."
        show.say(f"{told} {printed}", mark="not pinned", colour="yellow")
