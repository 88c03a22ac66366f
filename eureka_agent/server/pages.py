"""The pages that a person looks at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from eureka_agent.records import INITIAL, candidate_name
from eureka_agent.report.html.environment import html_environment
from eureka_agent.report.html.figures import fitness_chart
from eureka_agent.runs.drafts import Draft, read_draft
from eureka_agent.server.data import asset_address, doing, live_state
from eureka_agent.server.guard import Access
from eureka_agent.server.runs import Runs, RunState
from eureka_agent.server.views import (
    feedback_in_words,
    form_view,
    generation_view,
    result_replays,
    title_of,
)

_LONGEST_INDEX = 7
_REFUSED = 422
"""The status of a page that shows why a form was not accepted."""


class Pages:
    """Renders the pages; one for a server."""

    def __init__(self, runs: Runs, access: Access) -> None:
        self._runs = runs
        self._form_token = access.form_token

    def list_of_runs(self, request: Request) -> Response:
        """Return the list of the folder's runs."""
        return self._page("runs.html", runs=self._runs.overviews(), folder=str(self._runs.folder))

    def run(self, request: Request) -> Response:
        """Return a run: what it does, its result, its generations."""
        state = self._runs.state(request.path_params["run"])
        judged = {part.index: feedback_in_words(part.feedback) for part in state.report.generations}
        return self._page(
            "run.html",
            state=state,
            live=live_state(state.run),
            doing=doing(state.progress, running=state.running),
            chart=fitness_chart(state.report),
            replays=result_replays(state),
            judged=judged,
        )

    def generation(self, request: Request) -> Response:
        """Return a generation: the form, if the run asks about it; else what became of it."""
        state = self._runs.state(request.path_params["run"])
        index = generation_of(request)
        if state.question is not None and state.question.generation == index:
            return self.form(state, read_draft(state.run, index))
        view = generation_view(state, index)
        if view is None:
            raise HTTPException(404, "The run has no such generation.")
        return self._page("generation.html", state=state, view=view)

    def pairs(self, request: Request) -> Response:
        """Return two candidates side by side, with the question which one is better."""
        state = asked_state(self._runs, request)
        draft = read_draft(state.run, generation_of(request))
        token = live_state(state.run)["page"]
        view = form_view(state, draft)
        return self._page("pairs.html", state=state, form=view, page_token=token)

    def form(self, state: RunState, draft: Draft, problem: str | None = None) -> Response:
        """Return the form about a generation, and why it was not accepted, if so."""
        view = form_view(state, draft, problem)
        status, token = _REFUSED if problem else 200, live_state(state.run)["page"]
        return self._page("feedback.html", status=status, state=state, form=view, page_token=token)

    def message(self, title: str, text: str, status: int, trace: str = "") -> Response:
        """Return a page with one message."""
        return self._page("message.html", status=status, heading=title, text=text, trace=trace)

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        values |= {"form_token": self._form_token}
        return HTMLResponse(page_environment().get_template(template).render(values), status)


@cache
def page_environment() -> Environment:
    """Return the environment of the server's templates, which all servers of a process share."""
    environment = html_environment(Path(__file__).parent / "templates")
    environment.globals["asset"] = asset_address
    environment.globals["title_of"] = title_of
    return environment


def generation_of(request: Request) -> int:
    """Return the index in an address such as `/runs/NAME/generations/2` or `…/start`."""
    text = request.path_params["generation"]
    if text == candidate_name(INITIAL, 0):
        return INITIAL
    if not (text.isascii() and text.isdecimal() and len(text) < _LONGEST_INDEX):
        raise HTTPException(404, "The run has no such generation.")
    return int(text)


def asked_state(runs: Runs, request: Request) -> RunState:
    """Return a run that asks about the generation in the address.

    Raises:
        HTTPException: It does not, or not any more.
    """
    state = runs.state(request.path_params["run"])
    if state.question is None or state.question.generation != generation_of(request):
        raise HTTPException(
            409,
            "The search does not ask about this generation, or not any more. What you entered is"
            " kept in the run's folder, but was not used.",
        )
    return state
