"""Which of our payments are in an invoice's balance: one that waits to be released is not."""

from dataclasses import replace

from ml_connector.acumatica.documents import PAYMENT_RELEASED
from ml_connector.acumatica.errors import Missing
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money, total
from ml_connector.flows.connected import Connected
from ml_connector.store.applied import Applied, Made


async def as_it_stands(c: Connected, applied: Applied) -> Applied:
    """What our payments settle, after a look at each that we only know as made: one call each.

    One that is not released now was not in a balance that was read before. One that somebody
    has released since is in the ledger, but not surely in that balance: it must be read anew.
    """
    released = [one for one in applied.made if await _is_released(c, one.ref)]
    if not released:
        return applied
    zero = Money.zero(applied.in_the_ledger.currency)
    sums, apart = _sum(released, zero), _sum([one for one in released if one.besides], zero)
    left = [one for one in applied.made if one not in released]
    return replace(
        applied,
        in_the_ledger=applied.in_the_ledger + sums,
        besides=applied.besides + apart,
        claimed=applied.claimed - apart,
        on_the_way=applied.on_the_way + _sum(left, zero),  # perhaps released a moment later
        made=tuple(left),
    )


async def _is_released(c: Connected, ref: ErpRef) -> bool:
    try:
        return (await c.acumatica.payment(ref)).status in PAYMENT_RELEASED
    except Missing:
        return False


def _sum(made: list[Made], zero: Money) -> Money:
    return total((one.amount for one in made), zero.currency)
