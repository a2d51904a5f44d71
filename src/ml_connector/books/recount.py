"""The sums of a payout's paper, computed again from its lines alone: whoever reads it can."""

from collections.abc import Mapping, Sequence

from ml_connector.basics.money import Money, totals
from ml_connector.books import said
from ml_connector.books.postings import State
from ml_connector.books.proof import CAME_BACK, Verdict
from ml_connector.books.said import Numbered
from ml_connector.books.sealed import Complaint, Facts

MEMBERS = ("member", "transfer", "reversal")


def recount(lines: Sequence[Numbered]) -> list[Complaint]:
    """Every line that does not follow from the others; raises NotAPaper for one that says nothing.

    Members against their documents, documents against their own sides and shares, the sums of the
    accounts, the payout against its members, and the verdict against all of that.
    """
    documents = {
        said.text(one, "key"): (number, one) for number, one in said.every(lines, "document")
    }
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
    gaps = " ".join(said.text(one, "sentence") for _, one in said.every(lines, "gap"))
    found: list[Complaint] = []
    for number, one in _every_member(lines):
        carried = _shares(one)
        name, net = said.text(one, "transaction"), said.money(one, "net")
        strange = [key for key, _ in carried if key not in documents]
        found += [
            Complaint(number, f"{name} names the document {key}, which is not here.")
            for key in strange
        ]
        lacks = net - said.summed((amount for _, amount in carried), net)
        if lacks and name not in gaps and said.text(one, "what") == "member":
            found.append(Complaint(number, f"{name} is not carried whole: {lacks} is missing."))
    return found


def _documents(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    """A document whose sides do not balance, or whose effect is not what its members carry."""
    shares = [one for _, member in _every_member(lines) for one in _shares(member)]
    found: list[Complaint] = []
    for key, (number, one) in documents.items():
        effect = said.money(one, "effect")
        entries = said.rows(one, "entries")
        for currency, left in totals(said.money(entry, "amount") for entry in entries).items():
            if left:
                found.append(Complaint(number, f"{key} does not balance in {currency}: {left}."))
        on_clearing = [said.money(entry, "amount") for entry in entries if entry.get("clearing")]
        if said.summed(on_clearing, effect) != effect:
            found.append(Complaint(number, f"{key} does not change clearing by {effect}."))
        here = said.summed((amount for name, amount in shares if name == key), effect)
        if here + said.money(one, "for_others") + _taken_off(one, effect) != effect:
            found.append(Complaint(number, f"{key} is of {effect}, but {here} is carried here."))
        if said.text(one, "state") == State.VERIFIED and not said.text(one, "read_back"):
            found.append(Complaint(number, f"{key} is called verified without having been read."))
    return found


def _taken_off(document: Facts, like: Money) -> Money:
    """What people took off a document; papers of the first days do not say it."""
    stated = "taken_off" in document
    return said.money(document, "taken_off") if stated else Money.zero(like.currency)


def _changed(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    return [
        Complaint(number, f"{said.text(one, 'document')} is called changed and is not here.")
        for number, one in said.every(lines, "changed")
        if said.text(one, "document") not in documents
    ]


def _accounts(lines: Sequence[Numbered], documents: Mapping[str, Numbered]) -> list[Complaint]:
    """An account whose sum is not that of the documents that were read back."""
    sums: dict[tuple[str, str], Money] = {}
    for _, document in documents.values():
        for entry in said.rows(document, "entries") if _verified(document) else []:
            amount = said.money(entry, "amount")
            place = (said.text(entry, "account"), amount.currency)
            sums[place] = sums.get(place, Money.zero(amount.currency)) + amount
    found: list[Complaint] = []
    for number, one in said.every(lines, "account"):
        stated = said.money(one, "amount")
        name = said.text(one, "account")
        counted = sums.pop((name, stated.currency), Money.zero(stated.currency))
        if counted != stated:
            found.append(Complaint(number, f"Account {name} adds up to {counted}, not {stated}."))
    return found + [
        Complaint(0, f"Account {name} with {left} has no line.")
        for (name, _), left in sums.items()
        if left
    ]


def _sums(lines: Sequence[Numbered]) -> list[Complaint]:
    (head_number, head), (number, one) = said.only(lines, "payout"), said.only(lines, "sums")
    amount, stated = said.money(head, "amount"), said.money(one, "members")
    members = said.every(lines, "member")
    counted = said.summed((said.money(member, "net") for _, member in members), amount)
    found: list[Complaint] = []
    if counted != stated:
        found.append(Complaint(number, f"The members add up to {counted}, not {stated}."))
    if said.money(one, "payout") != amount:
        found.append(Complaint(head_number, f"The payout is of {amount} here, not in its sums."))
    if said.money(one, "difference") != said.money(one, "payout") - stated:
        found.append(Complaint(number, "The difference is not the payout less its members."))
    if head.get("members") != len(members):
        found.append(Complaint(head_number, f"There are {len(members)} members here."))
    return found


def _clearing(lines: Sequence[Numbered]) -> list[Complaint]:
    found: list[Complaint] = []
    for number, one in said.every(lines, "clearing"):
        if said.money(one, "before") + said.money(one, "transfer") != said.money(one, "after"):
            found.append(Complaint(number, "Clearing before and the transfer are not after."))
    for number, one in said.every(lines, "tie_out"):
        owed = said.money(one, "stripe") - said.money(one, "named")
        if said.money(one, "clearing") - owed != said.money(one, "difference"):
            found.append(Complaint(number, "The tie-out's difference is not that of its parts."))
    return found


def _verdict(
    lines: Sequence[Numbered], documents: Mapping[str, Numbered], found: list[Complaint]
) -> list[Complaint]:
    """A verdict that is better than what the lines bear out."""
    number, head = said.only(lines, "payout")
    verdict = said.text(head, "verdict")
    if verdict == Verdict.NOT_PROVEN:
        return []
    wanted: tuple[str, ...] = ("transfer",)
    if verdict == Verdict.PROVEN:
        wanted = ("member", "transfer")
    elif verdict == Verdict.RETURNED:
        wanted = ("transfer", "reversal")
    bad = bool(found) or not _in_the_ledger(lines, documents, wanted)
    if verdict == Verdict.PROVEN:
        difference = said.money(said.only(lines, "sums")[1], "difference")
        bad = bad or bool(said.every(lines, "gap")) or bool(difference)
        bad = bad or head.get("members_named") is not True or said.text(head, "status") in CAME_BACK
    return [Complaint(number, f"The lines do not bear out {verdict!r}.")] if bad else []


def _in_the_ledger(
    lines: Sequence[Numbered], documents: Mapping[str, Numbered], wanted: tuple[str, ...]
) -> bool:
    """Whether each of some movements is carried whole by documents that were read back and stand.

    A line that does not say whether its document stands says that it does not.
    """
    changed = said.every(lines, "changed")
    gone = {said.text(one, "document") for _, one in changed if one.get("stands") is not True}
    standing = {key for key, (_, one) in documents.items() if _verified(one)} - gone
    for what in wanted:
        rows = said.every(lines, what)
        if what != "member" and len(rows) != 1:
            return False
        for _, one in rows:
            carried = _shares(one)
            net = said.money(one, "net")
            whole = said.summed((amount for _, amount in carried), net) == net
            if not whole or not standing.issuperset(key for key, _ in carried):
                return False
    return True


def _verified(document: Facts) -> bool:
    return said.text(document, "state") == State.VERIFIED


def _every_member(lines: Sequence[Numbered]) -> list[Numbered]:
    return [row for what in MEMBERS for row in said.every(lines, what)]


def _shares(member: Facts) -> list[tuple[str, Money]]:
    return [
        (said.text(one, "document"), said.money(one, "amount"))
        for one in said.rows(member, "carried")
    ]
