"""A number's whole story: the chain, who did what and when, and why money is not matched."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.books.candidates import WhyUnmatched, why_unmatched
from ml_connector.flows.cash.receipts import evidence_of
from ml_connector.flows.connected import Connected
from ml_connector.flows.questions.explain import Explanation, explain
from ml_connector.flows.signals import RECEIPTS
from ml_connector.store import audit, exchanges
from ml_connector.store.audit import AuditEntry
from ml_connector.store.transactions import SETTLED, BalanceTransactionRow


@dataclass(frozen=True, slots=True)
class Lineage:
    """An explanation with its audit trail, its calls (by resource), and refused candidates.

    `not_asked` says why a payment that waits could not be compared again just now.
    """

    chain: Explanation
    acts: Sequence[AuditEntry]
    calls: dict[str, int]
    unmatched: Sequence[WhyUnmatched]
    not_asked: Sequence[str]


ASKED = 20
"""The most payments that are compared anew: of more, there is one cause, and it is told."""


async def lineage(c: Connected, number: str) -> Lineage:
    """The story of any number; costs a Stripe call for each payment that is not matched."""
    chain = await explain(c.store, c.id, number)
    names = _names(chain)
    async with c.store.transaction() as tx:
        acts = await audit.of_subjects(tx, c.id, names)
        calls = await exchanges.of_resources(tx, c.id, names)
    unmatched, not_asked = await _unmatched(c, chain)
    return Lineage(chain, acts, calls, unmatched, not_asked)


def _names(chain: Explanation) -> set[str]:
    """Every name under which the trail or a call may speak of one of the records."""
    names = {row.id for row in chain.transactions} | {row.id for row in chain.payouts}
    found: set[str] = {*names, *(row.source for row in chain.transactions if row.source)}
    for link in chain.links:
        found |= {link.erp_ref, link.stripe_id}
    for row in chain.postings:
        found |= {row.key, row.tag}
        if row.erp_type and row.erp_number:
            found.add(erp_ref(row.erp_type, row.erp_number))
    return found | {one.resource for one in chain.troubles}


async def _unmatched(c: Connected, chain: Explanation) -> tuple[list[WhyUnmatched], list[str]]:
    """The payments of the chain that wait, each with what it was compared with.

    An explanation is most wanted while something is broken: Stripe's silence does not stop it.
    """
    found: list[WhyUnmatched] = []
    silent: list[str] = []
    waiting = [source for row in chain.transactions if (source := _waits(row))]
    for source in waiting[:ASKED]:
        try:
            charge = await c.stripe.charge(source)
            why = why_unmatched(charge, await evidence_of(c, charge))
        except ConnectorError as error:
            silent.append(f"{source} could not be compared: {error.sentence}")
            continue
        if why is not None:
            found.append(why)
    silent += [f"{one} was not compared: explain it by itself." for one in waiting[ASKED:]]
    return found, silent


def _waits(row: BalanceTransactionRow) -> StripeId | None:
    """The payment that is not matched yet, where a movement is one."""
    waits = row.type in RECEIPTS and row.state not in SETTLED
    return row.source if waits and row.cause.startswith("payment.") else None
