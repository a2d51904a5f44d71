"""Reserves: Stripe holds a part of the balance back as a security, and releases it later."""

from datetime import timedelta

from ml_sandbox.stripe import balance
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

RESERVED = "risk_reserved"


def hold(world: World, amount: int, currency: str, days: int | None) -> Obj:
    """Takes an amount (minor units) off the balance; with `days` it is released by itself."""
    if amount < 1:
        raise bad("This value must be greater than or equal to 1.", "amount")
    until = world.moment() + timedelta(days=days) if days else None
    held = world.new(
        "reserve.hold",
        "reshold",
        amount=amount,
        created_by="stripe",
        currency=currency,
        destination=RESERVED,
        metadata={},
        reason="standalone",
        release_schedule={
            "release_after": int(until.timestamp()) if until else None,
            "scheduled_release": int(until.timestamp()) if until else None,
        },
        is_releasable=True,
        source_type="card",
    )
    book(world, held, "reserve_hold", -amount)
    emit(world, "reserve.hold.created", held)
    if until is not None:
        world.schedule.at(until, lambda: release_quietly(world, held))
    return held


def book(world: World, source: Obj, kind: str, amount: int) -> None:
    """Books the reclassification: what leaves one balance is on the other."""
    both = world.switches.reserve_rows_on_both_sides
    for moved, held in [(amount, balance.PAYMENTS), *([(-amount, RESERVED)] if both else [])]:
        balance.book(
            world,
            kind=kind,
            category="risk_reserved_funds",
            amount=moved,
            currency=source["currency"],
            source=source["id"],
            description="Reserved funds" if amount < 0 else "Reserved funds released",
            balance_type=held,
        )


def release_quietly(world: World, held: Obj) -> None:
    """The scheduled release, unless it happened before."""
    if held["is_releasable"]:
        release(world, held)


def release(world: World, held: Obj) -> Obj:
    """Gives a hold back; raises StripeError when that has happened already."""
    if not held["is_releasable"]:
        raise bad(f"Reserve hold {held['id']} is released already.")
    held["is_releasable"] = False
    made = world.new(
        "reserve.release",
        "resrel",
        amount=held["amount"],
        created_by="stripe",
        currency=held["currency"],
        destination="payments",
        metadata={},
        reason="hold_reversed",
        released_at=world.now(),
        reserve_hold=held["id"],
    )
    book(world, made, "reserve_release", held["amount"])
    emit(world, "reserve.release.created", made)
    emit(world, "reserve.hold.updated", held, {"is_releasable": True})
    return made
