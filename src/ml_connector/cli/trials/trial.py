"""One scenario lived through by real processes: acted out, settled, and held against its story."""

import asyncio
import json as jsonlib
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from ml_connector.assemble import installation, switchboard
from ml_connector.basics.errors import ConnectorError, Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.cli import show
from ml_connector.cli.books import tie_out_facts
from ml_connector.cli.standing import facts
from ml_connector.cli.trials.choices import mapping_of_choice
from ml_connector.cli.trials.findings import COUNTED, collect, complaints
from ml_connector.cli.trials.stage import Facts, Processes, Sandbox, ask
from ml_connector.flows.connected import Connected
from ml_connector.flows.intake import look_all
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.standing import standing
from ml_connector.flows.rounds.catch_up import STREAMS, sweep
from ml_connector.flows.signals import Kind, Look
from ml_connector.settings import read
from ml_connector.store import jobs
from ml_connector.store.embedded import EmbeddedPostgres

CONNECTION = ConnectionId("trial")
BEGINS = "2026-10-05T12:00:00+00:00"
"""A Monday noon, so that every payout of a scenario arrives in the same month."""
START = "2026-10-01"
SEED = 7
SETTLING_SECONDS = 75
"""Longer than the second try of what a person has cured."""


@dataclass(slots=True)
class Trial:
    """How one scenario went: what the books must show, what they show, and what is wrong."""

    name: str
    expected: Facts = field(default_factory=dict[str, object])
    found: Facts = field(default_factory=dict[str, object])
    wrong: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the books show what the story says, to the cent."""
        return not self.wrong

    @property
    def facts(self) -> Facts:
        """The same for a program."""
        return {
            "scenario": self.name,
            "holds": self.holds,
            "wrong": self.wrong,
            "expected": self.expected,
            "found": self.found,
            "seconds": round(self.seconds, 1),
        }


def stories() -> list[dict[str, str]]:
    """Every scenario that the sandboxes know: name, theme, headline and story."""
    told = _sandboxes_say("scenarios", "--json")
    found: list[dict[str, str]] = jsonlib.loads(told.stdout)["scenarios"]
    return found


def chosen(name: str) -> list[str]:
    """The names that a person meant: one, or `all`; raises Misconfigured."""
    known = [one["name"] for one in stories()]
    if name == "all":
        return known
    if name not in known:
        raise Misconfigured(
            f"There is no scenario {name!r}.",
            cause="trial.name",
            remedy="See `ml-connector sandbox list`.",
        )
    return [name]


@contextmanager
def database_server(folder: Path) -> Generator[str]:
    """One embedded PostgreSQL for all trials; yields its URL."""
    server = EmbeddedPostgres(folder / "server" / "postgres", fsync=False)
    try:
        yield server.start()
    finally:
        server.stop()


def play(name: str, server: str, folder: Path) -> Trial:
    """Acts one scenario out on fresh sandboxes, a fresh database and a service of its own."""
    started, trial = time.monotonic(), Trial(name)
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            processes = Processes(stack, place, stack.enter_context(_database(server)))
            sandbox = processes.sandboxes(seed=SEED, at=BEGINS)
            processes.connect(CONNECTION, sandbox, start=START, mapping=_mapping(name, place))
            processes.start_service()
            stack.callback(processes.stop_service)
            _act(trial, sandbox)
            if not trial.wrong:
                asyncio.run(_settle(trial, processes, sandbox))
    except ConnectorError as error:
        trial.wrong = [error.sentence]
    trial.seconds = time.monotonic() - started
    (place / "result.json").write_text(jsonlib.dumps(trial.facts, default=str), "utf-8")
    return trial


def _mapping(name: str, place: Path) -> Path:
    """The mapping of the scenario's firm, as a file."""
    choice = next((one.get("choice", "") for one in stories() if one["name"] == name), "")
    file = place / "mapping.toml"
    file.write_text(mapping_of_choice(choice), "utf-8")
    return file


def _act(trial: Trial, sandbox: Sandbox) -> None:
    """Lets the world act the story out; it says what the books must show."""
    stripe, erp = sandbox["stripe"], sandbox["acumatica"]
    doors = ("--stripe", stripe["url"], "--stripe-key", stripe["key"], "--acumatica", erp["url"])
    told = _sandboxes_say("run", trial.name, *doors, "--json")
    if told.returncode:
        trial.wrong = [told.stderr.strip()[-500:] or "The scenario broke off."]
    else:
        trial.expected = jsonlib.loads(told.stdout)["expected"]


async def _settle(trial: Trial, processes: Processes, sandbox: Sandbox) -> None:
    """Looks at everything until the books are as they must be, or patience is over."""
    async with (
        installation(read(processes.environment())) as place,
        switchboard(place) as board,
    ):
        give_up = time.monotonic() + SETTLING_SECONDS
        while True:
            try:
                await _look(trial, await board.connected(CONNECTION), sandbox)
            except ConnectorError as error:
                trial.wrong = [error.sentence]
            on_the_way = not ask(sandbox, "stripe", "settled")["idle"]
            if time.monotonic() > give_up or not (trial.wrong or on_the_way):
                return
            await asyncio.sleep(0.5)


async def _look(trial: Trial, c: Connected, sandbox: Sandbox) -> None:
    """Has every stream looked at by the service, and holds what stands against the story."""
    async with c.store.transaction() as tx:
        streams = [Look(Kind.STREAM, stream) for stream in STREAMS]
        await look_all(tx, c.id, streams, priority=2)
    give_up = time.monotonic() + SETTLING_SECONDS
    while not await _idle(c) and time.monotonic() < give_up:  # noqa: ASYNC110 - other processes
        await asyncio.sleep(0.1)
    standing_ = facts(await standing(c.store, c.id))
    await sweep(c)
    tie_outs = [tie_out_facts(one) for one in await measure(c)]
    trial.found = collect(standing_, tie_outs, lambda side, what: ask(sandbox, side, what))
    trial.wrong = complaints(trial.expected, trial.found)


async def _idle(c: Connected) -> bool:
    async with c.store.transaction() as tx:
        return await jobs.idle(tx, c.id)


@contextmanager
def _database(server: str) -> Generator[str]:
    """A database of its own on the one server; yields its URL."""
    plain = make_url(server).set(drivername="postgresql")
    name = sql.Identifier(made := f"trial_{uuid4().hex}")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield plain.set(database=made).render_as_string(hide_password=False)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _sandboxes_say(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command of the sandboxes, which are a program of their own."""
    return subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "ml_sandbox", *arguments],
        capture_output=True,
        check=False,
        text=True,
    )


def show_trial(trial: Trial) -> None:
    """What the books show after one scenario, as a controller reads it."""
    if trial.found:
        documents = [(kind.replace("_", " "), str(trial.found[kind])) for kind in COUNTED]
        made = [row for row in documents if row[1] != "0"] or [("none", "")]
        show.table("Documents", ("", "in the books "), made)
        rows = [
            (code, one["clearing"], one["stripe"], one["named"], one["difference"])
            for code, one in trial.found["currencies"].items()
        ]
        columns = ("", "clearing ", "Stripe balance ", "not posted, named ", "difference ")
        show.table("Tie-out", columns, rows)
        for item in trial.found["items"]:
            amount = item["amount"]
            show.say(
                f"{item['transaction']} {amount['amount']} {amount['currency']}: {item['reason']}"
            )
        for one in trial.found["held"]:
            show.say(str(one["sentence"]), mark=f"{one['count']} x", colour="yellow")
            show.say(f"    {one['remedy']}")
    for sentence in trial.wrong:
        show.say(sentence, mark="wrong", colour="red")
    if trial.holds:
        show.say(f"The books show what the story says ({trial.seconds:.1f} s).", mark="good",
                 colour="green")  # fmt: skip


def show_trials(trials: Sequence[Trial]) -> None:
    """How all scenarios went, a line each."""
    rows = [
        (one.name, "holds" if one.holds else "WRONG", f"{one.seconds:.1f}", " ".join(one.wrong))
        for one in trials
    ]
    show.table("Scenarios", ("name", "books", "seconds ", "what is wrong"), rows)
    held = sum(one.holds for one in trials)
    show.say(f"{held} of {len(trials)} hold.")
