"""What of ours Acumatica has released and not posted to its general ledger.

Where releasing does not post by itself, a batch waits until somebody posts it: the document is
done, and no balance of the ledger holds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.basics.money import Money, total
from ml_connector.books.drift import Finding, Kind, Movement, Name, Ours
from ml_connector.books.tieout import Unposted
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import ledger_name
from ml_connector.flows.writing.periods import reaching
from ml_connector.store import clearing, findings
from ml_connector.store.clearing import Effect
from ml_connector.store.findings import Finding as PeoplesChange

REMEDY = (
    "Post it in Post Transactions (GL502000), or let releasing post: Automatically Post on Release"
    " in the preferences of GL (GL102000) and AR (AR101000)."
)


@dataclass(frozen=True, slots=True)
class NotPosted:
    """A document of ours and what a batch of it, which waits, does to the clearing account."""

    effect: Effect
    lines: tuple[Movement, ...]

    @property
    def takes_back(self) -> bool:
        """Whether it is what people took the document back by, which the ledger still shows."""
        return self.lines[0].name != ledger_name(self.effect.kind, self.effect.erp_number)

    @property
    def amount(self) -> Money:
        """What the ledger lacks of it."""
        return total((one.amount for one in self.lines), self.effect.amount.currency)

    @property
    def record(self) -> str:
        """The document as a person finds it in Acumatica."""
        line = self.lines[0]
        kind = [line.kind] if line.kind and line.module == "AR" else []
        return " ".join((line.module, *kind, line.name[1]))

    @property
    def sentence(self) -> str:
        """What is wrong with it, and what to do."""
        line = self.lines[0]
        return (
            f"{self.record} for {self.effect.key} is released and its batch {line.module}"
            f" {line.batch} is not posted to the ledger. {REMEDY}"
        )

    @property
    def named(self) -> Unposted:
        """As the tie-out names it."""
        return Unposted(self.effect.transaction, self.amount, self.sentence)

    @property
    def finding(self) -> Finding:
        """As the search for a difference names it."""
        day = self.lines[0].day
        return Finding(Kind.NOT_POSTED, day, self.record, -self.amount, self.sentence)

    @property
    def lacking(self) -> Ours:
        """What takes it off the documents that the ledger should show."""
        line = self.lines[0]
        return Ours(self.effect.key, line.name, line.day, -self.amount)


async def not_posted(c: Connected, currency: str) -> list[NotPosted]:
    """Our documents on the clearing account of a currency whose batches wait, by batch.

    Beside them what people have taken a journal of ours back by, where that waits. One call, and
    one more for each financial period in which any batches wait.
    """
    account = c.mapping.of_currency(currency).clearing
    lines = await lines_waiting(c, account, currency)
    if not lines:
        return []
    async with c.store.transaction() as tx:
        effects = await clearing.effects(tx, c.id, currency)
        changed = await findings.lacking(tx, c.id)
    mine = _taken_back(effects, changed)
    mine |= {ledger_name(one.kind, one.erp_number): one for one in effects}
    waiting: dict[tuple[str, str, Name], list[Movement]] = {}
    for line in lines:
        if line.name in mine:
            waiting.setdefault((line.module, line.batch, line.name), []).append(line)
    return [NotPosted(mine[place[2]], tuple(waiting[place])) for place in sorted(waiting)]


def _taken_back(
    effects: Sequence[Effect], changed: Sequence[PeoplesChange]
) -> dict[tuple[str, str], Effect]:
    """Our journals by the batches that people took them back by."""
    ours = {one.key: one for one in effects}
    return {
        ("GL", erp_keys(ErpRef(other))[-1]): ours[one.key]
        for one in changed
        if one.key in ours and one.other
        for other in one.other.split(", ")
    }


async def lines_waiting(c: Connected, account: str, currency: str) -> list[Movement]:
    """What the batches that wait, whoever made them, do to an account, line by line."""
    batches = await c.acumatica.unposted_batches()
    if not batches:
        return []
    known = await reaching(c, max(batches.values()))
    held = {known.holding(day) for day in batches.values()}
    found: list[Movement] = []
    for period in sorted(one.id for one in held if one is not None):
        rows = await c.acumatica.movements(account, currency, period, unposted=True)
        found += [row for row in rows if (row.module, row.batch) in batches]
    return found
