"""A clerk at the site: entries that are made and acted upon at once, outside the API's counts."""

from ml_sandbox.acumatica import calendars
from ml_sandbox.acumatica.entities import Call
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.wire import Json, encode

NEWEST = "25.200.001"


class Clerk:
    """Writes through the same forms as the API, without a session."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def write(self, name: str, body: Json, action: str = "") -> Json:
        """PUTs a body (wrapped values) and runs an action on it; the record as it is then."""
        entities = self._site.entities[NEWEST]
        entity = entities.endpoint.top(name)
        if entity is None:
            raise ValueError(f"no entity {name}")
        call = self._call(name)
        shown = entities.put(entity, encode(body), call)
        if action:
            self.act(name, str(shown["id"]), action)
        return entities.read_one(entity, [str(shown["id"])], call)

    def act(self, name: str, record_id: str, action: str) -> None:
        """Runs an action on a record and waits for its end."""
        entities = self._site.entities[NEWEST]
        entity = entities.endpoint.entities[name]
        sent = encode({"entity": {"id": record_id}})
        prepared = entities.prepare(entity, sent, action.lower(), self._call(name))
        if prepared is not None:
            prepared.run()

    def close_period(self, code: str, module: str, *, closed: bool) -> Json:
        """Closes or opens a period (MMYYYY) in a module, and shows it in the calendars."""
        world = self._site.world
        period = world.setup.periods.by_code[code]
        if module not in {"AR", "AP", "CA", "GL"}:
            raise ValueError("module is AR, AP, CA or GL")
        (period.closed.add if closed else period.closed.discard)(module)
        calendars.show(world)
        return {"period": code, "closed": sorted(period.closed)}

    def _call(self, name: str) -> Call:
        entity = self._site.entities[NEWEST].endpoint.entities[name]
        expand = [each.name for each in entity.fields.values() if each.kind != "scalar"]
        return Call({"$expand": ",".join(expand)}, {}, 0, "HEADOFFICE")
