"""Acts planned months out, day by day, between the connector's two sides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from ml_sandbox.month.acting import MISCHIEF
from ml_sandbox.month.sandboxes import CannotGoOn, Json
from ml_sandbox.scenarios.stage import Stage
from ml_sandbox.year import buyers, office, stripes_own
from ml_sandbox.year.fates import Act
from ml_sandbox.year.life import Life
from ml_sandbox.year.plan import LATE, Step, Year, end_of
from ml_sandbox.year.tally import Tally

REOPENED_ON = 2
"""The day of a month on which the period before is opened again."""
MORNING, AFTERNOON, EVENING = (time_of_day(hour, tzinfo=UTC) for hour in (8, 16, 20))


@dataclass(frozen=True, slots=True)
class Heard:
    """Who hears of what: each day's end, a month's end, and a period's end and second beginning.

    `month` returns when the period may be closed, `closed` when the next month may begin.
    """

    day: Callable[[date, Tally], None]
    month: Callable[[date, Life], None]
    closed: Callable[[date], None]
    reopened: Callable[[date], None]


SETTLES: Json = {
    "settlement": ["usd", "eur", "gbp", "jpy"],
    "fees": {"gbp": {"percent": "1.5", "fixed": 20}},
}
"""Canadian dollars become US dollars at Stripe; all else settles as it is."""
ACTS: Mapping[Act, Callable[[Life, Step], None]] = {
    Act.ISSUE: office.issue,
    Act.PAY: buyers.pay,
    Act.TRY: buyers.try_in_vain,
    Act.PAY_BY_METADATA: buyers.pay_by_metadata,
    Act.PAY_BY_NUMBER: buyers.pay_by_number,
    Act.PAY_BY_AMOUNT: buyers.pay_by_amount,
    Act.BOUNCE: buyers.bounce,
    Act.REFUND: buyers.refund,
    Act.DISPUTE: buyers.dispute,
    Act.INQUIRE: buyers.inquire,
    Act.ESCALATE: buyers.escalate,
    Act.CLOSE: lambda life, step: buyers.decide(life, step, "lost"),
    Act.WIN: lambda life, step: buyers.decide(life, step, "won"),
    Act.APPEAL: lambda life, step: buyers.decide(life, step, "appeal"),
    Act.LOSE: buyers.lose,
    Act.CHECK: office.check,
    Act.WIRE: office.wire,
    Act.VOID_OURS: office.void_ours,
    Act.CREDIT: office.credit,
    Act.VOID_THERE: buyers.void_there,
    Act.PAID_ELSEWHERE: buyers.paid_elsewhere,
    Act.MARK: office.mark,
    Act.STRANGER: buyers.stranger,
    Act.ACQUAINTANCE: buyers.acquaintance,
    Act.ENTER: office.enter_known,
    Act.EDIT: office.edit,
    Act.TOP_UP: stripes_own.top_up,
    Act.TOP_UP_BACK: stripes_own.top_up_back,
    Act.BILL: stripes_own.bill,
    Act.ADJUST: stripes_own.adjust,
    Act.TAX_FEES: stripes_own.tax_fees,
    Act.RESERVE: stripes_own.reserve,
    Act.UNHEARD: stripes_own.unheard,
    Act.PAY_OUT: stripes_own.pay_out,
    Act.PAYOUT_FAILS: stripes_own.payout_fails,
    Act.PAY_OUT_BY_HAND: stripes_own.pay_out_by_hand,
    Act.PAYOUT_CANCELLED: stripes_own.payout_cancelled,
    Act.NEGATIVE_PAYOUT: stripes_own.negative_payout,
}
"""Who does what; every word of a plan is here."""


def play(year: Year, stage: Stage, mark: str, seed: int, heard: Heard) -> Tally:
    """All the months, each of which ends with its period closed, but for the last one.

    After the closing Stripe moves money on that very day still. On the second day of the next
    month somebody opens the period again, and it is closed for good with that month. Raises
    NotDone when the connector does not do what the world waits for, CannotGoOn when a sandbox
    refuses something.
    """
    life = Life(year, stage, mark)
    _begin(life, seed)
    for number, (first, steps) in enumerate(year.months):
        before = year.months[number - 1][0] if number else None
        _live(life, first, steps, before, heard)
        heard.month(first, life)
        if number + 1 < len(year.months):
            for each in filter(None, (before, first)):
                stage.clerk.period(f"{each:%m%Y}", closed=True)
            stripes_own.bill_late(life)
            heard.closed(first)
    return life.tally


def _begin(life: Life, seed: int) -> None:
    """The clock is at the beginning, webhooks misbehave, the regular customers are entered."""
    stage, first = life.stage, life.year.months[0][0]
    stage.stripe.post("webhooks", MISCHIEF | {"seed": seed})
    stage.stripe.post("rates", SETTLES)
    stage.stripe.post("switches", {"negative_payouts": True})
    stage.move_to(datetime.combine(first, MORNING))
    stripes = datetime.fromisoformat(stage.stripe.get("clock")["now"])
    if abs(stripes - stage.today) > timedelta(minutes=1):
        raise CannotGoOn(
            "The two sandboxes do not share one clock; start both with: python -m ml_sandbox up"
        )
    for client in life.year.clients:
        if client.key not in life.year.newcomers:
            office.enter(life, client.key)


def _live(
    life: Life, first: date, steps: tuple[Step, ...], before: date | None, heard: Heard
) -> None:
    """One month; the clock moves between the parts of a day, so that what is due happens then."""
    today = first
    while today <= end_of(first):
        life.stage.move_to(datetime.combine(today, MORNING))
        if before is not None and today.day == REOPENED_ON:
            life.stage.clerk.period(f"{before:%m%Y}", closed=False)
            heard.reopened(before)
        mine = [step for step in steps if step.day == today]
        for step in mine:
            if step.act in LATE:
                life.stage.move_to(datetime.combine(today, AFTERNOON))
            ACTS[step.act](life, step)
        life.stage.move_to(datetime.combine(today, EVENING))
        heard.day(today, life.tally)
        today += timedelta(days=1)
