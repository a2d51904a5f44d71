"""An explanation in words and in JSON."""

from collections.abc import Sequence

from ml_connector.books.candidates import WhyUnmatched
from ml_connector.cli import show
from ml_connector.cli.found import finding_facts
from ml_connector.cli.show import money
from ml_connector.flows.questions.explain import Explanation
from ml_connector.flows.questions.lineage import Lineage
from ml_connector.store.links import Link
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject


def facts_of(found: Lineage) -> dict[str, object]:
    """The whole chain as plain facts."""
    return {
        "number": found.chain.number,
        **_records(found.chain),
        "troubles": [
            {"sentence": one.sentence, "remedy": one.remedy, "tries": one.tries,
             "since": one.first_seen, "next_try": one.next_try}
            for one in found.chain.troubles
        ],
        "unmatched": [_unmatched_facts(one) for one in found.unmatched],
        "not_asked": list(found.not_asked),
        "acts": [
            {"at": one.at, "who": one.actor, "what": one.action, "subject": one.subject,
             "detail": one.detail}
            for one in found.acts
        ],
        "calls": found.calls,
    }  # fmt: skip


def _records(chain: Explanation) -> dict[str, object]:
    return {
        "links": [
            {"kind": one.kind, "stripe": one.stripe_id, "acumatica": one.erp_ref, "how": one.how,
             "state": one.detail.get("state"), "number_at_stripe": one.detail.get("number"),
             "since": one.created_at}
            for one in chain.links
        ],
        "transactions": [
            {
                "id": row.id,
                "type": row.type,
                "category": row.category,
                "amount": money(row.amount),
                "fee": money(row.fee),
                "net": money(row.net),
                "source": row.source,
                "payout": row.payout,
                "created": row.created,
                "at_stripe": _status(row.body),
                "state": row.state,
                "reason": row.reason,
            }
            for row in chain.transactions
        ],
        "postings": [
            {
                "key": row.key,
                "state": row.state,
                "document": _document(row),
                "in_acumatica": _status(row.read_back),
                "clearing": money(row.clearing),
                "tag": row.tag,
                "mapping_version": row.mapping_version,
                "verified_at": row.verified_at,
                "read_back": row.read_back_hash,
                "failure": row.failure,
            }
            for row in chain.postings
        ],
        "payouts": [
            {"id": row.id, "amount": money(row.amount), "status": row.status,
             "arrival": row.arrival_date, "proven": row.proven_at is not None,
             "proven_at": row.proven_at}
            for row in chain.payouts
        ],
        "findings": [finding_facts(one) for one in chain.findings],
        "left_out": chain.left_out,
    }  # fmt: skip


def _status(body: JsonObject | None) -> str:
    """How a record stands on its own side, as it was last seen there."""
    return str((body or {}).get("status", ""))


def _document(row: PostingRow) -> str:
    return f"{row.erp_type or ''} {row.erp_number or ''}".strip()


def _unmatched_facts(one: WhyUnmatched) -> dict[str, object]:
    return {
        "payment": one.charge.id,
        "amount": money(one.charge.amount),
        "refusal": one.refusal,
        "candidates": [
            {"invoice": each.invoice.ref, "customer": each.invoice.customer_id,
             "owed": money(each.invoice.total), "refusal": each.refusal, "change": each.change}
            for each in one.candidates
        ],
    }  # fmt: skip


def show_explanation(found: Lineage) -> None:
    """The chain as a person reads it, from the invoice to the bank."""
    chain = found.chain
    _show_links(chain.links)
    if chain.left_out:
        show.say(f"left out  {chain.left_out}")
    for row in chain.transactions:
        pair = f"{row.type}/{row.category}"
        stands = f"{_status(row.body)} at Stripe, {row.state} here"
        show.say(f"money     {row.id} {pair} net {row.net}, {stands} {row.reason}".rstrip())
    for posting in chain.postings:
        stands = ", ".join(filter(None, (posting.state, _status(posting.read_back))))
        version = f", mapping version {posting.mapping_version}" if posting.mapping_version else ""
        document = _document(posting) or "no document"
        show.say(f"posting   {posting.key}: {document}, {stands}{version}")
    _show_ends(chain)
    for act in found.acts:
        show.say(f"act       {act.at:%Y-%m-%d %H:%M} {act.actor}: {act.action} {act.subject}")
    if found.calls:
        show.say(f"calls     {sum(found.calls.values())} to both sides")
    for trouble in chain.troubles:
        show.say(f"    {trouble.sentence} {trouble.remedy}", mark="waits", colour="yellow")
    for one in found.unmatched:
        _show_unmatched(one)
    for sentence in found.not_asked:
        show.say(f"    {sentence}", mark="not asked", colour="yellow")


def _show_ends(chain: Explanation) -> None:
    """The payouts that it ends in, and what people changed of it since."""
    for payout in chain.payouts:
        proven = "proven" if payout.proven_at else "not proven yet"
        show.say(f"payout    {payout.id} of {payout.amount}, {payout.status}, {proven}")
    for one in chain.findings:
        show.say(f"changed   {one.id}: {one.grade}, {one.state}. {one.sentence}")


def _show_links(links: Sequence[Link]) -> None:
    for link in links:
        state = f", {link.detail['state']}" if "state" in link.detail else ""
        which = link.erp_ref.replace("|", " ")
        show.say(f"{link.kind:9} {which} is {link.stripe_id} ({link.how}{state})")


def _show_unmatched(one: WhyUnmatched) -> None:
    show.say(one.refusal, mark="unmatched", colour="yellow")
    for each in one.candidates:
        show.say(f"  {each.invoice.number}: {each.refusal} {each.change}".rstrip())
    if not one.candidates:
        show.say("  No invoice came near it.")
