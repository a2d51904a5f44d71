"""The commands as a person runs them: processes, exit codes, sentences, JSON."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ml_connector.cli.setup import SANDBOX_MAPPING

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ml-cli-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ML_")}

    def command(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "ml_connector", *arguments],
            env=kept | {"ML_HOME": str(home)} | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    return command


@contextmanager
def a_sandbox(place: Path) -> Generator[Path]:
    """Both sandboxes while the block runs, and the file that `connect` reads of them."""
    command = [sys.executable, "-m", "ml_connector", "sandbox", "up", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            place.write_text(child.stdout.readline(), "utf-8")
            yield place
        finally:
            child.terminate()
            child.wait(timeout=20)


@pytest.fixture(scope="module")
def sandbox(home: Path) -> Generator[Path]:
    with a_sandbox(home / "sandbox.json") as place:
        yield place


@pytest.fixture
def sandbox_of_its_own(home: Path) -> Generator[Path]:
    """For a story that leaves money behind."""
    with a_sandbox(home / "own.json") as place:
        yield place


def answer(done: "subprocess.CompletedProcess[str]") -> Any:
    return json.loads(done.stdout)


def test_a_newcomer_connects_tests_and_sees_level_books(run: Run, sandbox: Path) -> None:
    made = run("connect", "trial", "--sandbox", str(sandbox), "--start", "2026-10-01", "--json")
    assert (made.returncode, answer(made)["connection"]) == (0, "trial")
    checks = run("ping", "trial", "--json")
    assert checks.returncode == 0
    # The other stories of this installation book to the same tenant, which is worth a warning.
    weak = [check for check in answer(checks)["checks"] if check["verdict"] != "pass"]
    assert all("uses the cash account" in check["sentence"] for check in weak), weak
    assert run("sync", "trial", "--json").returncode == 0
    level = run("tieout", "trial", "--search", "--json")
    assert (level.returncode, answer(level)["drift"]) == (0, [])
    amounts = {one["difference"]["amount"] for one in answer(level)["currencies"]}
    assert amounts == {"0.00", "0"}
    assert answer(run("audit", "verify", "--json")) == {"intact": True, "first_broken": None}
    assert answer(run("guardian", "trial", "--json")) == {"findings": []}
    assert answer(run("late", "trial", "--json")) == {"late": [], "totals": []}
    assert answer(run("exchange", "trial", "--json")) == {"exchange": [], "totals": []}
    unknown = run("acknowledge", "000999", "--connection", "trial", "--json")
    assert (unknown.returncode, answer(unknown)["error"]["cause"]) == (1, "acknowledge.nothing")
    file = str(sandbox.with_name("plan.json"))
    plan = run("plan", "trial", "--out", file, "--json")
    assert (plan.returncode, answer(plan)["documents"]) == (0, [])
    applied = run("apply", file, "--connection", "trial", "--json")
    assert answer(applied) == {"plan": answer(plan)["plan"], "documents": []}
    score = answer(run("shadow", "trial", "--json"))
    assert {one["agrees"] for one in score["currencies"]} == {True}


def test_the_opening_position_is_posted_and_its_paper_is_checked_without_a_database(
    run: Run, sandbox_of_its_own: Path
) -> None:
    sandbox = sandbox_of_its_own
    place = json.loads(sandbox.read_text("utf-8"))["stripe"]
    form = {"amount": "4200", "currency": "usd", "confirm": "true",
            "payment_method": "pm_card_bypassPending"}  # fmt: skip
    paid = httpx2.post(f"{place['url']}/v1/payment_intents", data=form, auth=(place["key"], ""))
    assert paid.status_code == 200
    while not httpx2.get(f"{place['url']}/_sandbox/settled").json()["idle"]:
        time.sleep(0.1)  # Stripe books a charge a moment later
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    run("connect", "later", "--sandbox", str(sandbox), "--start", tomorrow, "--json")
    paper, page = sandbox.with_name("opening.json"), sandbox.with_name("opening.html")
    wanted = ("proof", "opening", "usd", "--connection", "later", "--out", str(paper))
    early = run(*wanted)
    assert (early.returncode, "No opening position of USD is kept" in early.stderr) == (1, True)
    posted = run("opening", "later", "--against", "24400", "--post", "--json")
    assert (posted.returncode, len(answer(posted)["openings"])) == (0, 1), posted
    made = run(*wanted, "--page", str(page), "--json")
    assert (made.returncode, answer(made)["standing"]) == (0, "in the ledger"), made
    key = answer(made)["key"]
    found = run("proof", "verify", str(paper), "--key", key, ML_HOME="/nowhere")
    assert found.returncode == 0
    assert "opening position before" in found.stdout
    assert key in page.read_text("utf-8")
    paper.write_text(paper.read_text("utf-8").replace('"movements": ', '"movements": 1'), "utf-8")
    found = run("proof", "verify", str(paper), "--key", key, ML_HOME="/nowhere")
    assert (found.returncode, "line 1" in found.stderr) == (1, True)


def test_the_sandbox_line_holds_what_a_client_needs(sandbox: Path) -> None:
    line = json.loads(sandbox.read_text("utf-8"))
    assert set(line["stripe"]) == {"url", "key", "webhook_secret"}
    erp = {"url", "endpoint", "tenant", "user", "password", "client_id", "client_secret"}
    assert set(line["acumatica"]) == erp


def test_a_wrong_version_is_named_with_those_that_are_offered(run: Run, sandbox: Path) -> None:
    run("connect", "old", "--sandbox", str(sandbox), "--endpoint", "Default/99.200.001", "--json")
    done = run("ping", "old", "--json")
    assert done.returncode == 1
    failed = [check for check in answer(done)["checks"] if check["verdict"] == "fail"]
    assert "Default/99.200.001" in failed[0]["sentence"]
    assert "Default/24.200.001" in failed[0]["sentence"]
    assert failed[0]["remedy"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("proof", "po_unknown", "--connection", "gone"), 2, "no connection named 'gone'"),
        (("connect", "x"), 2, "--acumatica-url"),
        (("status", "gone"), 2, "gone"),
        (("undo", "po_1", "--mapping-version", "2"), 2, "Say one thing to undo"),
    ],
)
def test_a_mistake_is_one_sentence_and_its_own_exit_code(
    run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ML_DATABASE_URL", "mysql://x", "PostgreSQL only"),
        ("ML_DATABASE_URL", "postgresql://x:secret-word@127.0.0.1:1/x", "cannot be used"),
        ("ML_PORT", "abc", "ML_PORT"),
        ("ML_LOG_LEVEL", "loud", "ML_LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_named_and_shows_no_secret(
    run: Run, variable: str, value: str, words: str
) -> None:
    done = run("status", "--json", **{variable: value})
    assert done.returncode == 2
    assert words in answer(done)["error"]["sentence"]
    assert "secret-word" not in done.stdout + done.stderr


def test_a_small_month_with_an_outage_ends_with_level_books(run: Run) -> None:
    options = ("--customers", "5", "--invoices", "8", "--seed", "3", "--kills", "1", "--json")
    done = run("demo", *options)
    facts = answer(done)
    assert done.returncode == 0, facts
    assert set(facts["difference"].values()) == {"0.00", "0"}
    assert facts["kills"] == 1
    for kind in ("customers", "invoices", "payments", "fees", "refunds", "payouts"):
        assert facts[kind]["done"] == facts[kind]["expected"]
    assert facts["doubled"] == []
    assert facts["unexplained"] == []


def test_a_mapping_that_does_not_fit_is_refused_and_an_edited_one_is_a_new_version(
    run: Run, sandbox: Path, home: Path
) -> None:
    run("connect", "books", "--sandbox", str(sandbox), "--start", "2026-10-01", "--json")
    wrong = home / "wrong.toml"
    wrong.write_text(SANDBOX_MAPPING.read_text("utf-8").replace('"61160"', '"11000"'), "utf-8")
    refused = run("mapping", "set", str(wrong), "books", "--json")
    assert (refused.returncode, answer(refused)["stored"]) == (1, False)
    (failed,) = [one for one in answer(refused)["findings"] if one["severity"] == "fail"]
    assert (failed["key"], "AR" in failed["sentence"]) == ("accounts.chargeback_loss", True)
    script = home / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i "s/61160/81000/ ; s/# The map/# Our map/" "$1"\n', "utf-8")
    script.chmod(0o755)
    edited = run("mapping", "edit", "books", "--note", "Losses apart", "--json", EDITOR=str(script))
    changed = [{"key": "accounts.chargeback_loss", "before": "61160", "after": "81000"}]
    assert (edited.returncode, answer(edited)["version"]) == (0, 2)
    assert answer(edited)["changed"] == changed


def test_keys_are_shown_rotated_and_audited(run: Run) -> None:
    before = answer(run("keys", "show", "--json"))
    done = run("keys", "rotate", "--json")
    assert done.returncode == 0, done.stderr
    after = answer(run("keys", "show", "--json"))
    ids = [one["id"] for one in after["signing"]]
    assert ids == [answer(done)["signing"]["id"], before["signing"][0]["id"]]
    assert after["sealing"][0]["id"] == answer(done)["sealing"]["key"]
    told = answer(run("audit", "show", "keys", "--json"))["entries"]
    assert [one["action"] for one in told] == ["keys rotated"]
