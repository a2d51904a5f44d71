"""Editions of a posting's key: what was undone is posted again under a key of its own.

The first edition bears the plain key (`payment:ch_1`), later ones a number (`payment:ch_1~2`).
"""

from dataclasses import replace

from ml_connector.basics.ids import PostingKey
from ml_connector.books.postings import CreditMemo, Posting

MARK = "~"
"""Stands in no Stripe id, so it cannot be a part of a plain key."""


def key_in(key: PostingKey, edition: int) -> PostingKey:
    """A plain key as it reads in an edition."""
    return key if edition == 1 else PostingKey(f"{key}{MARK}{edition}")


def plain_key(key: PostingKey) -> PostingKey:
    """A key without its edition."""
    return PostingKey(key.partition(MARK)[0])


def edition_of(key: PostingKey) -> int:
    """Which edition a key is of."""
    return int(key.partition(MARK)[2] or 1)


def in_edition(posting: Posting, edition: int) -> Posting:
    """A posting as the rules make it, under the key of an edition.

    A credit memo's mark is the edition's, too: those of earlier ones stand and bear theirs.
    """
    paper = posting.document
    if isinstance(paper, CreditMemo):
        mark = key_in(PostingKey(paper.order), edition)
        paper = replace(paper, order=mark)
    return replace(posting, key=key_in(posting.key, edition), document=paper)
