"""The sums of a payout's paper, computed again from its lines alone: whoever reads it can."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import cast

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.money import Money, totals
from ml_connector.books.postings import State
from ml_connector.books.proof import CAME_BACK, Verdict
from ml_connector.books.sealed import Complaint, Facts, NotAPaper

Numbered = tuple[int, Facts]
MEMBERS = ("member", "transfer", "reversal")


def recount(lines: Sequence[Numbered]) -> list[Complaint]:
    """Every line that does not follow from the others; raises NotAPaper for one that says nothing.

    Members against their documents, documents against their own sides and shares, the sums of the
    accounts, the payout against its members, and the verdict against all of that.
    """
    documents = {_text(one, "key"): (number, one) for number, one in _all(lines, "document")}
    found = [
        *_members(lines, documents),
        *_documents(lines, documents),
        *_changed(lines, documents),
        *_accounts(lines, documents),
        *_sums(lines),
        *_clearing(lines),
    ]
    return [*found, *_verdict(lines, documents, found)]


def _members(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    """A member whose shares are not its net; where documents are missing the gaps name it."""
    gaps = " ".join(_text(one, "sentence") for _, one in _all(lines, "gap"))
    found: list[Complaint] = []
    for number, one in _every_member(lines):
        carried = _shares(one)
        name, net = _text(one, "transaction"), _money(one, "net")
        strange = [key for key, _ in carried if key not in documents]
        found += [
            Complaint(number, f"{name} names the document {key}, which is not here.")
            for key in strange
        ]
        lacks = net - _sum((amount for _, amount in carried), net)
        if lacks and name not in gaps and _text(one, "what") == "member":
            found.append(Complaint(number, f"{name} is not carried whole: {lacks} is missing."))
    return found


def _documents(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    """A document whose sides do not balance, or whose effect is not what its members carry."""
    shares = [one for _, member in _every_member(lines) for one in _shares(member)]
    found: list[Complaint] = []
    for key, (number, one) in documents.items():
        effect = _money(one, "effect")
        entries = _rows(one, "entries")
        for currency, left in totals(_money(entry, "amount") for entry in entries).items():
            if left:
                found.append(Complaint(number, f"{key} does not balance in {currency}: {left}."))
        on_clearing = [_money(entry, "amount") for entry in entries if entry.get("clearing")]
        if _sum(on_clearing, effect) != effect:
            found.append(Complaint(number, f"{key} does not change clearing by {effect}."))
        here = _sum((amount for name, amount in shares if name == key), effect)
        if here + _money(one, "for_others") + _taken_off(one, effect) != effect:
            found.append(Complaint(number, f"{key} is of {effect}, but {here} is carried here."))
        if _text(one, "state") == State.VERIFIED and not _text(one, "read_back"):
            found.append(Complaint(number, f"{key} is called verified without having been read."))
    return found


def _taken_off(document: Facts, like: Money) -> Money:
    """What people took off a document; papers of the first days do not say it."""
    said = "taken_off" in document
    return _money(document, "taken_off") if said else Money.zero(like.currency)


def _changed(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    return [
        Complaint(number, f"{_text(one, 'document')} is called changed and is not here.")
        for number, one in _all(lines, "changed")
        if _text(one, "document") not in documents
    ]


def _accounts(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    """An account whose sum is not that of the documents that were read back."""
    sums: dict[tuple[str, str], Money] = {}
    for _, document in documents.values():
        for entry in _rows(document, "entries") if _verified(document) else []:
            amount = _money(entry, "amount")
            place = (_text(entry, "account"), amount.currency)
            sums[place] = sums.get(place, Money.zero(amount.currency)) + amount
    found: list[Complaint] = []
    for number, one in _all(lines, "account"):
        said = _money(one, "amount")
        name = _text(one, "account")
        counted = sums.pop((name, said.currency), Money.zero(said.currency))
        if counted != said:
            found.append(Complaint(number, f"Account {name} adds up to {counted}, not {said}."))
    return found + [
        Complaint(0, f"Account {name} with {left} has no line.")
        for (name, _), left in sums.items()
        if left
    ]


def _sums(lines: Sequence[Numbered]) -> list[Complaint]:
    (head_number, head), (number, one) = _only(lines, "payout"), _only(lines, "sums")
    amount, said = _money(head, "amount"), _money(one, "members")
    members = _all(lines, "member")
    counted = _sum((_money(member, "net") for _, member in members), amount)
    found: list[Complaint] = []
    if counted != said:
        found.append(Complaint(number, f"The members add up to {counted}, not {said}."))
    if _money(one, "payout") != amount:
        found.append(Complaint(head_number, f"The payout is of {amount} here, not in its sums."))
    if _money(one, "difference") != _money(one, "payout") - said:
        found.append(Complaint(number, "The difference is not the payout less its members."))
    if head.get("members") != len(members):
        found.append(Complaint(head_number, f"There are {len(members)} members here."))
    return found


def _clearing(lines: Sequence[Numbered]) -> list[Complaint]:
    found: list[Complaint] = []
    for number, one in _all(lines, "clearing"):
        if _money(one, "before") + _money(one, "transfer") != _money(one, "after"):
            found.append(Complaint(number, "Clearing before and the transfer are not after."))
    for number, one in _all(lines, "tie_out"):
        owed = _money(one, "stripe") - _money(one, "named")
        if _money(one, "clearing") - owed != _money(one, "difference"):
            found.append(Complaint(number, "The tie-out's difference is not that of its parts."))
    return found


def _verdict(
    lines: Sequence[Numbered], documents: Mapping[str, Numbered], found: list[Complaint]
) -> list[Complaint]:
    """A verdict that is better than what the lines bear out."""
    number, head = _only(lines, "payout")
    verdict = _text(head, "verdict")
    if verdict == Verdict.NOT_PROVEN:
        return []
    wanted: tuple[str, ...] = ("transfer",)
    if verdict == Verdict.PROVEN:
        wanted = ("member", "transfer")
    elif verdict == Verdict.RETURNED:
        wanted = ("transfer", "reversal")
    bad = bool(found) or not _in_the_ledger(lines, documents, wanted)
    if verdict == Verdict.PROVEN:
        difference = _money(_only(lines, "sums")[1], "difference")
        bad = bad or bool(_all(lines, "gap")) or bool(difference)
        bad = bad or head.get("members_named") is not True or _text(head, "status") in CAME_BACK
    return [Complaint(number, f"The lines do not bear out {verdict!r}.")] if bad else []


def _in_the_ledger(
    lines: Sequence[Numbered], documents: Mapping[str, Numbered], wanted: tuple[str, ...]
) -> bool:
    """Whether each of some movements is carried whole by documents that were read back and stand.

    A line that does not say whether its document stands says that it does not.
    """
    changed = _all(lines, "changed")
    gone = {_text(one, "document") for _, one in changed if one.get("stands") is not True}
    standing = {key for key, (_, one) in documents.items() if _verified(one)} - gone
    for what in wanted:
        rows = _all(lines, what)
        if what != "member" and len(rows) != 1:
            return False
        for _, one in rows:
            carried = _shares(one)
            net = _money(one, "net")
            whole = _sum((amount for _, amount in carried), net) == net
            if not whole or not standing.issuperset(key for key, _ in carried):
                return False
    return True


def _verified(document: Facts) -> bool:
    return _text(document, "state") == State.VERIFIED


def _every_member(lines: Sequence[Numbered]) -> list[Numbered]:
    return [row for what in MEMBERS for row in _all(lines, what)]


def _all(lines: Sequence[Numbered], what: str) -> list[Numbered]:
    return [(number, facts) for number, facts in lines if facts.get("what") == what]


def _only(lines: Sequence[Numbered], what: str) -> Numbered:
    found = _all(lines, what)
    if len(found) != 1:
        raise NotAPaper(f"it has {len(found)} lines of the kind {what!r}")
    return found[0]


def _shares(member: Facts) -> list[tuple[str, Money]]:
    return [(_text(one, "document"), _money(one, "amount")) for one in _rows(member, "carried")]


def _rows(facts: Facts, name: str) -> list[Facts]:
    rows = facts.get(name)
    if not isinstance(rows, list):
        raise NotAPaper(f"{name!r} is not a list")
    found: list[Facts] = []
    for row in cast("list[object]", rows):
        if not isinstance(row, dict):
            raise NotAPaper(f"{name!r} does not hold objects")
        found.append(cast("Facts", row))
    return found


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str):
        raise NotAPaper(f"{name!r} is not a text")
    return value


def _money(facts: Facts, name: str) -> Money:
    """An amount as the paper says it: `-12.50 USD`."""
    number, _, currency = _text(facts, name).partition(" ")
    try:
        return Money.of(Decimal(number), currency)
    except (InvalidOperation, ConnectorError):
        raise NotAPaper(f"{name!r} is not an amount: {facts.get(name)!r}") from None


def _sum(amounts: Iterable[Money], like: Money) -> Money:
    """The sum of those of one currency: shares and sides in others do not move this clearing."""
    every = (one.minor for one in amounts if one.currency == like.currency)
    return Money(sum(every), like.currency)
