"""The service's routes in one list."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ml_connector.assemble import Installation
from ml_connector.store import schema
from ml_connector.web import webhooks


async def alive(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """The process can work: the database answers with the schema that this program knows."""
    place: Installation = request.app.state.place
    try:
        version = await place.store.version()
    except (SQLAlchemyError, OSError):
        return JSONResponse({"status": "the database does not answer"}, status_code=503)
    if version != schema.newest():
        return JSONResponse({"status": "the database is of another version"}, status_code=503)
    return JSONResponse({"status": "ready", "schema": version})


async def metrics(_: Request) -> Response:
    """Every metric in Prometheus's text form."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES = [
    Route("/webhooks/stripe/{connection}", webhooks.from_stripe, methods=["POST"]),
    Route("/webhooks/acumatica/{connection}", webhooks.from_acumatica, methods=["POST"]),
    Route("/healthz", alive),
    Route("/readyz", ready),
    Route("/metrics", metrics),
]


def create_app(place: Installation) -> Starlette:
    """The web application of an installation; who serves it also runs the work."""
    app = Starlette(routes=ROUTES, exception_handlers=webhooks.HANDLERS)
    app.state.place = place
    return app
