"""A stand-in for the connector: copies open ERP invoices to Stripe through the public APIs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import httpx2

Addresses = dict[str, dict[str, str]]
Json = dict[str, Any]


@asynccontextmanager
async def signed_in(erp: dict[str, str]) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client signed in to the ERP by cookie, at its endpoint."""
    base = f"{erp['url']}/entity/{erp['endpoint']}/"
    async with httpx2.AsyncClient(base_url=base, trust_env=False, verify=False) as client:
        await sign_in(client, erp)
        yield client


async def sign_in(client: httpx2.AsyncClient, erp: dict[str, str]) -> None:
    who = {"name": erp["user"], "password": erp["password"], "tenant": erp["tenant"]}
    (await client.post(f"{erp['url']}/entity/auth/login", json=who)).raise_for_status()


async def mirror(addresses: Addresses, *, at_most: int = 1_000_000) -> None:
    """Mirrors until cancelled; stops short after so many invoices."""
    stripe, sent = addresses["stripe"], set[str]()
    query = {"$filter": "Status eq 'Open'", "$custom": "Document.CuryID"}
    auth = (stripe["key"], "")
    async with (
        signed_in(addresses["acumatica"]) as erp,
        httpx2.AsyncClient(base_url=stripe["url"], auth=auth, trust_env=False, verify=False) as api,
    ):
        while True:
            answer = await erp.get("Invoice", params=query)
            if answer.status_code == 401:  # a jump of the clock ends an idle session
                await sign_in(erp, addresses["acumatica"])
                continue
            for row in answer.raise_for_status().json():
                number = row["ReferenceNbr"]["value"]
                if number not in sent and len(sent) < at_most:
                    await copy(api, row)
                    sent.add(number)
            await anyio.sleep(0.02)


async def copy(api: httpx2.AsyncClient, row: Json) -> None:
    """One invoice as one line, finalized."""
    currency = row["custom"]["Document"]["CuryID"]["value"].lower()
    amount = Decimal(str(row["Balance"]["value"])).scaleb(0 if currency == "jpy" else 2)
    customer = await post(api, "customers", name=row["Customer"]["value"])
    marks = {"metadata[erp_ref]": f"Invoice|{row['ReferenceNbr']['value']}"}
    draft = await post(
        api,
        "invoices",
        customer=customer["id"],
        currency=currency,
        collection_method="send_invoice",
        days_until_due="30",
        **marks,
    )
    whose = {"customer": customer["id"], "invoice": draft["id"], "currency": currency}
    await post(api, "invoiceitems", amount=str(int(amount)), **whose)
    await post(api, f"invoices/{draft['id']}/finalize")


async def post(api: httpx2.AsyncClient, path: str, **form: str) -> Json:
    answer = await api.post(f"/v1/{path}", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()
