"""The keys of an installation: which there are, and new ones in their place."""

import os
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from ml_connector.cli.frame import Exit, Json, Office, opened

if TYPE_CHECKING:
    from ml_connector.flows.connections.keys import Rotated
    from ml_connector.store.signing import PublicKey

keys = App(name="keys", help="The keys that sign proofs and seal stored secrets; rotate them.")


@keys.command(name="show")
def shown(*, json: Json = False) -> int:
    """Print the public keys that sign proofs, with ids and since when; the sealing keys by id.

    Nothing of it is secret. Saved as a file it is what `proof verify --key FILE` takes.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.keys import sealing_keys, signing_keys

        store, ring = office.place.store, office.place.keyring
        signs, seals = await signing_keys(store, ring), await sealing_keys(store, ring)
        if json:
            show.as_json({"signing": [_facts(one) for one in signs], "sealing": seals})
            return Exit.OK
        show.say("Keys that sign proofs, the one in force first:")
        for one in signs:
            until = f" until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else ", in force"
            show.say(f"  {one.id} since {one.since:%Y-%m-%d %H:%M} UTC{until}\n    {one.public}")
        show.say("Keys that seal stored secrets:")
        for key in seals:
            what = "in force" if key.active else "kept for what it sealed"
            show.say(f"  {key.id} ({what}): {key.secrets} secrets")
        return Exit.OK

    return opened(body, as_json=json)


@keys.command
def rotate(
    *,
    only: Annotated[
        Literal["", "sealing", "signing"], Parameter(help="Rotate one kind of key alone.")
    ] = "",
    json: Json = False,
) -> int:
    """Put new keys in force: all stored secrets are sealed anew, proofs are signed by a new key.

    Running services go on. Proofs signed before stay good under their own key, whose private part
    is forgotten. If it is cut off, run it again: it ends what it began.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.connections.keys import Part
        from ml_connector.flows.connections.keys import rotate as turn

        place = office.place
        which = [Part(only)] if only else list(Part)
        actor = os.environ.get("USER", "command line")
        done = await turn(place.store, place.clock, place.keyring, actor, which)
        if json:
            signs = _facts(done.signing) if done.signing else None
            show.as_json({"sealing": done.sealing, "signing": signs})
        else:
            _say(done)
        return Exit.OK

    return opened(body, as_json=json)


def _say(done: "Rotated") -> None:
    from ml_connector.cli import show

    if done.sealing is not None:
        begun = (
            " An earlier rotation, which was cut off, is ended." if done.sealing.finished else ""
        )
        show.say(f"{done.sealing.secrets} secrets are sealed with key {done.sealing.key}.{begun}")
        show.say("Copy the key ring anew to where you keep it apart from the database.")
    if done.signing is not None:
        show.say(f"Proofs are signed by key {done.signing.id}: {done.signing.public}")
        show.say("Give it to those who check your proofs: ml-connector keys show > keys.txt")


def _facts(key: "PublicKey") -> dict[str, object]:
    return {"id": key.id, "public": key.public, "since": key.since, "until": key.until}
