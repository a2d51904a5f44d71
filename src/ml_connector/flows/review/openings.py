"""The signed paper of an opening position: from what was kept of it, and its entry as read back."""

from ml_connector.books.opening import opening_key
from ml_connector.books.opening_paper import FORMAT, OpeningPaper, holdings, lines
from ml_connector.books.sealed import sealed
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import opened
from ml_connector.flows.review.proofs import described
from ml_connector.flows.rows import changed_of
from ml_connector.store import findings, postings
from ml_connector.vault.signing import SigningKey


async def opening_paper(c: Connected, currency: str) -> OpeningPaper | None:
    """Everything that the paper of a currency says, from our own rows; None before it is kept."""
    kept = await opened(c, currency)
    if kept is None:
        return None
    key = opening_key(currency)
    async with c.store.transaction() as tx:
        row = await postings.get(tx, c.id, key)
        finding = await findings.current(tx, c.id, key)
        return OpeningPaper(
            connection=c.id,
            position=kept.position,
            holdings=holdings(kept.entry, dict(kept.holds), kept.against),
            against=kept.against if kept.entry is not None else "",
            at=c.clock.now(),
            document=None if row is None else await described(c, tx, row),
            changed=() if finding is None else (changed_of(finding),),
        )


def signed_opening(paper: OpeningPaper, key: SigningKey) -> str:
    """The paper as a signed JSON text."""
    return sealed(FORMAT, paper.name, key.public, lines(paper), key.sign)
