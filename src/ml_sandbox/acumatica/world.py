"""The tenant's state: tables, ledger, numbering, set-up; and the unit that changes it at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from ml_sandbox.acumatica.conflicts import Conflicts
from ml_sandbox.acumatica.errors import business
from ml_sandbox.acumatica.ledger import ZERO, Batch, Ledger, Line
from ml_sandbox.acumatica.people import Users
from ml_sandbox.acumatica.records import Record, Row, Table
from ml_sandbox.acumatica.setup import Setup
from ml_sandbox.acumatica.switches import Switches
from ml_sandbox.clock import SandboxClock


@dataclass(frozen=True, slots=True)
class Change:
    """One record before and after a saved unit; either side may be absent."""

    entity: str
    old: Record | None
    new: Record | None


Listener = Callable[[str, list[Change]], None]
Mirror = Callable[["Unit", Record], None]


@dataclass
class World:
    """The whole state of the site. Only `Unit.commit` changes it."""

    clock: SandboxClock
    switches: Switches
    setup: Setup
    tables: dict[str, Table]
    random: Random
    tenant: str = "U100"
    users: Users = field(default_factory=Users)
    conflicts: Conflicts = field(default_factory=Conflicts)
    ledger: Ledger = field(default_factory=Ledger)
    sequences: dict[str, int] = field(default_factory=dict[str, int])
    listeners: list[Listener] = field(default_factory=list[Listener])
    mirrors: dict[str, Mirror] = field(default_factory=dict[str, Mirror])

    def guid(self) -> str:
        """A new id; the same seed gives the same ids."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def today(self) -> date:
        """The sandbox's calendar day, UTC."""
        return self.clock.now().date()

    def find(self, entity: str, *key: str) -> Record | None:
        """A saved record by key."""
        return self.tables[entity].find(*key)

    def by_id(self, entity: str, record_id: str) -> Record | None:
        """A saved record by id."""
        return self.tables[entity].by_id.get(record_id)

    def unit(self, *, day: date | None = None, branch: str | None = None) -> "Unit":
        """A new unit of work, with the request's business date and branch."""
        return Unit(self, day=day or self.today(), branch=branch or "HEADOFFICE")


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Unit:
    """Changes prepared on copies; nothing is seen before `commit`, and then everything is."""

    def __init__(self, world: World, *, day: date, branch: str) -> None:
        self.world = world
        self.setup = world.setup
        self.switches = world.switches
        self.day = day
        self.branch = branch
        self._drafts: dict[tuple[str, str], Record] = {}
        self._quiet: set[tuple[str, str]] = set()
        self._dropped: list[Record] = []
        self._batches: list[Batch] = []
        self._sequences: dict[str, int] = {}

    def edit(self, record: Record) -> Record:
        """The copy of a saved record to change; the same copy each time."""
        name = (record.entity, record.id)
        draft = self._drafts.get(name)
        if draft is None:
            draft = self._drafts[name] = record.draft()
        return draft

    def create(self, entity: str, record_id: str | None = None) -> Record:
        """A new empty record; projections of one document share its id."""
        draft = Record(entity, record_id or self.world.guid())
        self._drafts[entity, draft.id] = draft
        return draft

    def row(self) -> Row:
        """A new empty detail row or linked entity."""
        return Row(self.world.guid())

    def find(self, entity: str, *key: str) -> Record | None:
        """A record by key as this unit sees it."""
        table = self.world.tables[entity]
        found = table.find(*key)
        if found is not None:
            return self._drafts.get((entity, found.id), found)
        wanted = tuple(part.strip().casefold() for part in key)
        for draft in self._drafts.values():
            if draft.entity == entity and table.key_of(draft) == wanted:
                return draft
        return None

    def drop(self, record: Record) -> None:
        """Deletes a record."""
        self._dropped.append(record)
        self._drafts.pop((record.entity, record.id), None)

    def forget(self, draft: Record) -> None:
        """Gives up a draft: it will not be saved."""
        self._drafts.pop((draft.entity, draft.id), None)

    def keep_modified(self, draft: Record) -> None:
        """Saves the draft without moving its LastModifiedDateTime."""
        self._quiet.add((draft.entity, draft.id))

    def number(self, sequence: str, pattern: str = "{:06d}") -> str:
        """The next number of a numbering sequence; given back when the unit is not committed."""
        last = self._sequences.get(sequence, self.world.sequences.get(sequence, 0))
        self._sequences[sequence] = last + 1
        return pattern.format(last + 1)

    def post(
        self,
        module: str,
        *,
        day: date,
        period: str,
        lines: dict[str, list[Line]],
        description: str,
        document: str,
        record: Record | None = None,
    ) -> list[Batch]:
        """Posts lines given by currency: one batch for each currency.

        `record` is the journal being released; other modules get their own journal record.
        """
        batches: list[Batch] = []
        for currency, each in lines.items():
            kept = [line for line in each if line.amount or line.base]
            if not kept:
                continue
            kept += self._between_branches(kept)
            number = record.get("BatchNbr") if record else self.number("BATCH")
            batch = Batch(
                module=module,
                number=number,
                day=day,
                period=period,
                currency=currency,
                branch=kept[0].branch,
                description=description,
                lines=kept,
                posted=self.switches.auto_post,
                document=document,
                ledger=self._ledger_of(kept),
            )
            self.world.ledger.check(batch)
            self._batches.append(batch)
            batches.append(batch)
            if record is None:
                self._journal_of(batch)
        return batches

    def _ledger_of(self, lines: list[Line]) -> str:
        companies = {self.setup.company_of(line.branch).code for line in lines}
        if len(companies) > 1:
            raise business("Branches of companies with different base currencies are mixed.")
        return self.setup.company_of(lines[0].branch).ledger

    def _between_branches(self, lines: list[Line]) -> list[Line]:
        """The lines that make each branch balance by itself, where the company requires it."""
        if not self.switches.branches_balance:
            return []
        off: dict[str, tuple[Decimal, Decimal]] = {}
        for line in lines:
            amount, base = off.get(line.branch, (ZERO, ZERO))
            off[line.branch] = amount + line.amount, base + line.base
        home, account = lines[0].branch, self.switches.inter_branch_account
        found: list[Line] = []
        for branch, (amount, base) in off.items():
            if branch == home or not (amount or base):
                continue
            if self.world.find("Account", account) is None:
                raise business(
                    f"Inter-branch account mapping is missing between {home} and {branch}."
                )
            for at, sign in ((branch, -1), (home, 1)):
                found.append(
                    Line(
                        account=account,
                        branch=at,
                        amount=sign * amount,
                        base=sign * base,
                        description="Inter-branch entry",
                        application=True,
                    )
                )
        return found

    def _journal_of(self, batch: Batch) -> None:
        journal = self.create("JournalTransaction")
        journal.set(
            Module=batch.module,
            BatchNbr=batch.number,
            BranchID=batch.branch,
            LedgerID=batch.ledger,
            CurrencyID=batch.currency,
            TransactionDate=batch.day,
            PostPeriod=batch.period,
            Description=batch.description,
            Hold=False,
            Status="Posted" if batch.posted else "Unposted",
        )
        for number, line in enumerate(batch.lines, start=1):
            row = self.row()
            account = self.world.find("Account", line.account)
            row.set(
                LineNbr=number,
                BranchID=line.branch,
                Account=line.account,
                Subaccount=line.subaccount,
                DebitAmount=max(line.amount, ZERO),
                CreditAmount=max(-line.amount, ZERO),
                TransactionDescription=line.description,
                Description=account.get("Description") if account else None,
                ReferenceNbr=line.reference,
                VendorOrCustomer=line.customer or None,
                Project="X",
            )
            journal.rows("Details").append(row)

    def commit(self) -> list[Change]:
        """Saves everything; stamps strictly increasing modification times."""
        for draft in list(self._drafts.values()):
            mirror = self.world.mirrors.get(draft.entity)
            if mirror is not None:
                mirror(self, draft)
        now = _milliseconds(self.world.clock.now())
        changes = [self._save(draft, now) for draft in self._drafts.values()]
        for record in self._dropped:
            self.world.tables[record.entity].drop(record)
            changes.append(Change(record.entity, record, None))
        self.world.sequences.update(self._sequences)
        for batch in self._batches:
            self.world.ledger.enter(batch)
        if changes:
            transaction = self.world.guid()
            for listener in self.world.listeners:
                listener(transaction, changes)
        return changes

    def _save(self, draft: Record, now: datetime) -> Change:
        table = self.world.tables[draft.entity]
        old = table.by_id.get(draft.id)
        if old is None:
            draft.values.setdefault("CreatedDateTime", now)
            draft.set(LastModifiedDateTime=now)
        elif (draft.entity, draft.id) not in self._quiet:
            before: datetime = old.get("LastModifiedDateTime", now - timedelta(days=1))
            draft.set(LastModifiedDateTime=max(now, before + timedelta(milliseconds=1)))
        table.put(draft)
        return Change(draft.entity, old, draft)
