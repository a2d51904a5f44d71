"""An explanation in words and in JSON."""

from ml_connector.cli import show
from ml_connector.cli.found import finding_facts
from ml_connector.cli.show import money
from ml_connector.flows.explain import Explanation


def facts_of(found: Explanation) -> dict[str, object]:
    """The whole chain as plain facts."""
    return {
        "number": found.number,
        "links": [
            {"kind": one.kind, "stripe": one.stripe_id, "acumatica": one.erp_ref, "how": one.how}
            for one in found.links
        ],
        "transactions": [
            {
                "id": row.id,
                "type": row.type,
                "category": row.category,
                "net": money(row.net),
                "source": row.source,
                "payout": row.payout,
                "state": row.state,
                "reason": row.reason,
            }
            for row in found.transactions
        ],
        "postings": [
            {
                "key": row.key,
                "state": row.state,
                "document": f"{row.erp_type or ''} {row.erp_number or ''}".strip(),
                "clearing": money(row.clearing),
                "failure": row.failure,
            }
            for row in found.postings
        ],
        "payouts": [
            {"id": row.id, "amount": money(row.amount), "status": row.status,
             "proven": row.proven_at is not None}
            for row in found.payouts
        ],
        "findings": [finding_facts(one) for one in found.findings],
        "troubles": [
            {"sentence": one.sentence, "remedy": one.remedy, "tries": one.tries}
            for one in found.troubles
        ],
    }  # fmt: skip


def show_explanation(found: Explanation) -> None:
    """The chain as a person reads it, from the invoice to the bank."""
    for link in found.links:
        show.say(f"{link.kind:9} {link.erp_ref.replace('|', ' ')} is {link.stripe_id} ({link.how})")
    for row in found.transactions:
        pair = f"{row.type}/{row.category}"
        show.say(f"money     {row.id} {pair} net {row.net}, {row.state} {row.reason}".rstrip())
    for posting in found.postings:
        document = f"{posting.erp_type or 'no document'} {posting.erp_number or ''}".strip()
        show.say(f"posting   {posting.key}: {document}, {posting.state}")
    for payout in found.payouts:
        proven = "proven" if payout.proven_at else "not proven yet"
        show.say(f"payout    {payout.id} of {payout.amount}, {payout.status}, {proven}")
    for one in found.findings:
        show.say(f"changed   {one.id}: {one.grade}, {one.state}. {one.sentence}")
    for trouble in found.troubles:
        show.say(f"    {trouble.sentence} {trouble.remedy}", mark="waits", colour="yellow")
