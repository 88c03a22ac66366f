"""The web application: its addresses, and what it says when something cannot be shown."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eureka_agent.errors import EurekaError, RunDirError, StoreError, UsageError
from eureka_agent.extract.reading import trace_of
from eureka_agent.server.answers import Answers
from eureka_agent.server.data import Data
from eureka_agent.server.guard import Access, Guard
from eureka_agent.server.pages import Pages
from eureka_agent.server.runs import Runs

_GENERATION = "/runs/{run}/generations/{generation}"
_STATUS: dict[type[EurekaError], int] = {RunDirError: 404, StoreError: 409, UsageError: 400}
_TITLES = {
    400: "This cannot be saved",
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    413: "Too large",
}


def make_app(runs: Runs, access: Access) -> Guard:
    """Return the application.

    Args:
        runs: The runs that it shows.
        access: The secrets that its visitors have to know.
    """
    pages, data = Pages(runs, access), Data(runs)
    answers = Answers(runs, access, pages)

    def show_error(request: Request, error: Exception) -> Response:
        status = next((n for kind, n in _STATUS.items() if isinstance(error, kind)), 500)
        return pages.message(_TITLES.get(status, "This page failed"), str(error), status)

    def show_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = _TITLES.get(error.status_code, "This page cannot be shown")
        return pages.message(title, error.detail, error.status_code)

    def show_fault(request: Request, error: Exception) -> Response:
        text = "This is a fault of eureka_agent; please report the lines below."
        return pages.message("This page failed", text, 500, trace_of(error))

    app = Starlette(
        routes=[
            Route("/", pages.list_of_runs),
            Route("/assets/{name}", data.asset),
            Route("/runs/{run}", pages.run),
            Route("/runs/{run}/live", data.live),
            Route("/runs/{run}/scene", data.scene),
            Route("/runs/{run}/replays/{candidate}", data.replay),
            Route(_GENERATION, pages.generation),
            Route(_GENERATION, answers.feedback, methods=["POST"]),
            Route(f"{_GENERATION}/pairs", pages.pairs),
            Route(f"{_GENERATION}/pairs", answers.pairs, methods=["POST"]),
        ],
        exception_handlers={
            EurekaError: show_error,
            HTTPException: show_refusal,
            Exception: show_fault,
        },
    )
    return Guard(app, access)
