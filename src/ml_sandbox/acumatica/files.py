"""Attachments: bytes kept with a record, put and fetched by address."""

from dataclasses import dataclass

from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.wire import Answer, Json, Request
from ml_sandbox.acumatica.world import World


@dataclass
class Attachment:
    """One attached file."""

    id: str
    record: str
    name: str
    content: bytes
    comment: str


class Files:
    """All attachments of the tenant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[str, Attachment] = {}

    def store(self, record_id: str, entity: str, name: str, request: Request) -> Answer:
        """Attaches the body to a record; a file of the same name is replaced."""
        full = f"{entity} ({record_id})\\{name}"
        found = next(
            (
                each
                for each in self._by_id.values()
                if (each.record, each.name) == (record_id, full)
            ),
            None,
        )
        file = Attachment(
            found.id if found else self._world.guid(),
            record_id,
            full,
            request.body,
            request.headers.get("px-cbfilecomment", ""),
        )
        self._by_id[file.id] = file
        return Answer(204)

    def of(self, record_id: str, root: str) -> list[Json]:
        """A record's files as `$expand=files` shows them."""
        return [
            {
                "id": each.id,
                "filename": each.name,
                "href": f"{root}/files/{each.id}",
                "comment": each.comment,
            }
            for each in self._by_id.values()
            if each.record == record_id
        ]

    def handle(self, request: Request, rest: list[str]) -> Answer:
        """GET files/{id}, or PUT files/{graph}/{view}/{record id}/{name}."""
        if request.method == "GET" and len(rest) == 1:
            found = self._by_id.get(rest[0].lower())
            if found is not None:
                kind = (b"content-type", b"application/octet-stream")
                return Answer(200, found.content, [kind])
        if request.method == "PUT" and len(rest) == 4:
            for table in self._world.tables.values():
                if rest[2] in table.by_id:
                    return self.store(rest[2], table.entity, rest[3], request)
        raise Problem(404, "The file cannot be found.")
