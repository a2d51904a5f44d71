"""An explanation in words and in JSON."""

from collections.abc import Iterable

from ml_connector.basics.ids import in_words
from ml_connector.books.candidates import WhyUnmatched
from ml_connector.cli import show
from ml_connector.cli.found import finding_facts
from ml_connector.cli.show import money
from ml_connector.flows.questions.explain import Explanation
from ml_connector.flows.questions.lineage import Lineage
from ml_connector.store.audit import AuditEntry
from ml_connector.store.findings import Finding
from ml_connector.store.links import Link
from ml_connector.store.payouts import PayoutRow
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject
from ml_connector.store.transactions import BalanceTransactionRow


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
                "charge": row.charge,
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


SHOWN = 20
"""The most lines of a kind that a person is shown; a payout may hold thousands of payments."""


def show_explanation(found: Lineage) -> None:
    """The chain as a person reads it, from the invoice to the bank."""
    chain = found.chain
    _show(chain, "link", map(_link_line, chain.links))
    if chain.left_out:
        show.say(f"left out  {chain.left_out}")
    _show(chain, "money", map(_money_line, chain.transactions))
    _show(chain, "posting", map(_posting_line, chain.postings))
    _show(chain, "payout", map(_payout_line, chain.payouts))
    _show(chain, "changed", map(_changed_line, chain.findings))
    _show(chain, "act", map(_act_line, found.acts))
    if found.calls:
        show.say(f"calls     {sum(found.calls.values())} to both sides")
    waits = (f"    {one.sentence} {one.remedy}" for one in chain.troubles)
    _show(chain, "waits", waits, mark="waits")
    for one in found.unmatched:
        _show_unmatched(one)
    _show(chain, "not asked", (f"    {one}" for one in found.not_asked), mark="not asked")


def _show(chain: Explanation, what: str, lines: Iterable[str], mark: str = "") -> None:
    """The lines of a kind; of very many those that bear the number come first, and some more."""
    listed = list(lines)
    if len(listed) > SHOWN:
        listed.sort(key=lambda line: chain.number not in line)
    for line in listed[:SHOWN]:
        show.say(line, mark=mark, colour="yellow" if mark else "")
    if len(listed) > SHOWN:
        show.say(f"{what:9} ... and {len(listed) - SHOWN} more: --json lists all")


def _link_line(link: Link) -> str:
    state = f", {link.detail['state']}" if "state" in link.detail else ""
    which = in_words(link.erp_ref)
    return f"{link.kind:9} {which} is {link.stripe_id} ({link.how}{state})"


def _money_line(row: BalanceTransactionRow) -> str:
    of = f" of {row.charge}" if row.charge else ""
    what = f"{row.type}/{row.category} {row.source or ''}".rstrip() + of
    stands = f"{_status(row.body)} at Stripe, {row.state} here"
    return f"money     {row.id} {what}, net {row.net}, {stands} {row.reason}".rstrip()


def _posting_line(posting: PostingRow) -> str:
    stands = ", ".join(filter(None, (posting.state, _status(posting.read_back))))
    version = f", mapping version {posting.mapping_version}" if posting.mapping_version else ""
    document = _document(posting) or "no document"
    return f"posting   {posting.key}: {document}, {stands}{version}"


def _payout_line(payout: PayoutRow) -> str:
    proven = "proven" if payout.proven_at else "not proven yet"
    return f"payout    {payout.id} of {payout.amount}, {payout.status}, {proven}"


def _changed_line(one: Finding) -> str:
    return f"changed   {one.id}: {one.grade}, {one.state}. {one.sentence}"


def _act_line(act: AuditEntry) -> str:
    return f"act       {act.at:%Y-%m-%d %H:%M} {act.actor}: {act.action} {act.subject}"


def _show_unmatched(one: WhyUnmatched) -> None:
    show.say(one.refusal, mark="unmatched", colour="yellow")
    for each in one.candidates:
        show.say(f"  {each.invoice.number}: {each.refusal} {each.change}".rstrip())
    if not one.candidates:
        show.say("  No invoice came near it.")
