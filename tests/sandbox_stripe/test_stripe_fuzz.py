"""Whatever is asked, the answer has the API's shape and the sandbox does not break."""

import random
from typing import Any

from ml_sandbox.stripe.app import FAMILIES
from ml_sandbox.stripe.contract import Contract
from sandbox_stripe.stripe_running import Running

PARAM_CHANCES = (0.06, 0.25)
ROUNDS = 30


class Guess:
    """Random parameters that fit the contract, with ids that exist where one is wanted."""

    def __init__(self, seed: int, ids: dict[str, list[str]]) -> None:
        self.dice = random.Random(seed)
        self.ids = ids
        self.chance = PARAM_CHANCES[seed % 2]

    def form(self, fields: dict[str, Any], required: list[str], name: str = "") -> dict[str, str]:
        out: dict[str, str] = {}
        for key, kind in fields.items():
            if key in required or self.dice.random() < self.chance:
                path = f"{name}[{key}]" if name else key
                out |= self.value(kind, path, key)
        return out

    def value(self, kind: Any, path: str, key: str) -> dict[str, str]:
        if isinstance(kind, list):
            return self.value(self.dice.choice(kind), path, key)
        if isinstance(kind, dict):
            if "enum" in kind:
                return {path: str(self.dice.choice(kind["enum"]))}
            if "list" in kind:
                return self.value(kind["list"], f"{path}[0]", key)
            if "map" in kind:
                return {f"{path}[a]": "1"}
            return self.form(kind["object"], kind.get("required", []), path)
        return {path: self.scalar(kind, key)}

    def scalar(self, kind: str, key: str) -> str:
        if kind == "int":
            return str(self.dice.choice([0, -5, 1, 100, 5000, 4_000_000_000]))
        if kind == "bool":
            return self.dice.choice(["true", "false"])
        if kind in {"decimal", "number"}:
            return self.dice.choice(["1.5", "0", "-2", "33.333"])
        if key == "currency":
            return self.dice.choice(["usd", "jpy", "kwd", "xxx"])
        if key == "url":
            return "http://127.0.0.1:9/hook"
        known = self.ids.get(key, [])
        return self.dice.choice([*known, "", "text", "pm_card_visa", "metadata['a']:'1'"])


def known_ids(sandbox: Running) -> dict[str, list[str]]:
    tables = sandbox.app.world.tables
    found = {kind: list(table.rows)[:20] for kind, table in tables.items()}
    found["intent"] = found["payment_intent"]
    found["line_item_id"] = found["invoice_line_item"] = found["line_item"]
    found["transaction"] = found["customer_balance_transaction"]
    found["id"] = [*found["balance_transaction"], *found["credit_note"], *found["event"]]
    return found


def test_no_combination_of_parameters_breaks_the_sandbox(sandbox: Running) -> None:
    contract = Contract()
    sandbox.open_invoice()
    charge = sandbox.charged()
    sandbox.control("disputes", charge=charge["id"], amount=100)
    routes = sorted({key for family in FAMILIES for key in family})
    statuses: set[int] = set()
    for turn in range(ROUNDS):
        guess = Guess(turn, known_ids(sandbox))
        for key in routes:
            method, _, path = key.partition(" ")
            route = contract.route(key)
            parts = [
                guess.scalar("str", part[1:-1]) or "x" if part.startswith("{") else part
                for part in path.split("/")
            ]
            form = guess.form(route.params, list(route.required))
            where = {"params": form} if method != "POST" else {"data": form}
            answer = sandbox.http.request(method, "/".join(parts).replace("'", ""), **where)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (
                key,
                form,
                sandbox.look("books")["invariant_violations"],
            )
            assert "error" in answer.json() or answer.status_code == 200
    assert {200, 400, 404} <= statuses
