"""The forms that a person sends: the answer about a generation, and comparisons of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from eureka_agent.errors import UsageError
from eureka_agent.runs.drafts import read_draft, save_draft
from eureka_agent.server.entered import draft_from, with_answer
from eureka_agent.server.forms import read_form
from eureka_agent.server.guard import Access
from eureka_agent.server.pages import Pages, asked_state, generation_of
from eureka_agent.server.runs import Runs
from eureka_agent.server.verdict import Ballot
from eureka_agent.server.views import why_refused

_Fields = Mapping[str, str]
_ACTIONS = ("save", "autosave", "submit", "stop")
_SEE_OTHER = 303


class Answers:
    """Takes the forms and saves what they hold."""

    def __init__(self, runs: Runs, access: Access, pages: Pages) -> None:
        self._runs = runs
        self._access = access
        self._pages = pages
        self._lock = Lock()  # one change of a draft after the other

    async def feedback(self, request: Request) -> Response:
        """Save the answer about a generation; check or submit it if its button was pressed."""
        return await self._with_form(request, self._feedback)

    async def pairs(self, request: Request) -> Response:
        """Save which of two candidates is better."""
        return await self._with_form(request, self._pairs)

    async def _with_form(
        self, request: Request, answer: Callable[[Request, _Fields], Response]
    ) -> Response:
        fields = await read_form(request, self._access)
        return await run_in_threadpool(answer, request, fields)

    def _feedback(self, request: Request, fields: _Fields) -> Response:
        """Save the draft; submit it if it is complete and `action` is `submit` or `stop`."""
        action = fields.get("action", "")
        if action not in _ACTIONS:
            raise UsageError(f"The action is one of {', '.join(_ACTIONS)}.")
        with self._lock:
            state = asked_state(self._runs, request)
            assert state.question is not None
            ballot = Ballot.of_run(state, state.question)
            before = read_draft(state.run, ballot.generation)
            if action == "autosave" and before.submitted:  # it was sent before the answer
                raise HTTPException(409, "The answer is submitted already.")
            draft = draft_from(fields, ballot, before)
            save_draft(state.run, draft)
            problem = None
            if action in ("submit", "stop"):
                draft = replace(draft, stop=action == "stop")
                problem = why_refused(draft, ballot, state.stored.spec)
                if problem is None:
                    save_draft(state.run, replace(draft, submitted=True))
        if action == "autosave":
            return JSONResponse({"saved": draft.saved})
        if problem is not None:
            return self._pages.form(state, draft, problem)
        address = _address(request) if action == "save" else _run_address(request)
        return RedirectResponse(address, _SEE_OTHER)

    def _pairs(self, request: Request, fields: _Fields) -> Response:
        """Save one comparison, and show the next pair."""
        with self._lock:
            state = asked_state(self._runs, request)
            assert state.question is not None
            ballot = Ballot.of_run(state, state.question)
            draft = with_answer(read_draft(state.run, ballot.generation), fields, ballot)
            save_draft(state.run, draft)
        return RedirectResponse(f"{_address(request)}/pairs", _SEE_OTHER)


def _run_address(request: Request) -> str:
    """Return the path of the run's page."""
    return f"/runs/{quote(request.path_params['run'], safe='')}"


def _address(request: Request) -> str:
    """Return the path of the generation's page."""
    return f"{_run_address(request)}/generations/{generation_of(request)}"
