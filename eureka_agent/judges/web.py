"""A judge that asks a person on a page in the browser."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from eureka_agent.errors import UsageError
from eureka_agent.records import Feedback
from eureka_agent.runs.database import now
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import (
    Question,
    goes_on_at,
    read_draft,
    remove_question,
    save_draft,
    save_question,
)
from eureka_agent.runs.progress import read_progress
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.server import PageServer
from eureka_agent.server.verdict import Ballot, feedback_of

_LOOKS_EVERY_S = 0.2
_LAST_LOOK_S = 4.0


class WebJudge:
    """Serves the page of a run and waits for the answers that are submitted there.

    Questions and answers are files in the run's folder, so that they outlive this process, and
    another process may serve the page as well.

    Args:
        runs_dir: Folder that holds the runs; the page shows all of them.
        port: See `PageServer`.
        timeout_min: Minutes without an answer after which the search goes on; None to wait.
        opens_browser: Whether to open the page in this machine's browser.
    """

    needs_terminal = False

    def __init__(
        self,
        runs_dir: Path,
        *,
        port: int | None = None,
        timeout_min: float | None = None,
        opens_browser: bool = False,
    ) -> None:
        self._server = PageServer(runs_dir, port)
        self._timeout_min = timeout_min
        self._opens_browser = opens_browser
        self._run: RunDir | None = None

    def open(self) -> None:
        """Start the server. Raises UsageError if its port is taken."""
        self._server.start()

    def page(self, run: RunDir) -> str:
        """Return the address of a run's page, and open it in the browser if that is wanted."""
        self._run = run
        if self._opens_browser:
            self._server.open_browser(run.name)
        return self._server.url(run.name)

    def ask(self, request: FeedbackRequest) -> Feedback:
        """Wait until a person has submitted an answer, or until the time for it is over.

        Args:
            request: The generation to judge.

        Returns:
            The feedback; without a ranking and `unanswered` if the time is over.

        Raises:
            UsageError: The request names no folder.
            StoreError: The run's folder cannot be read or written.
        """
        if request.folder is None:
            raise UsageError("The page needs the run's folder, which this request does not name.")
        run = RunDir(request.folder)
        earlier = tuple(outcome.candidate.name for outcome in request.earlier)
        question = Question(request.generation, earlier, now(), self._timeout_min)
        save_question(run, question)
        try:
            return _answer(run, question, Ballot.of_request(request))
        finally:
            remove_question(run, request.generation)

    def close(self) -> None:
        """Stop the server; a page that is open gets the time to load the result before."""
        if self._run is not None and self._server.is_watched:
            progress = read_progress(self._run)
            if progress is not None and progress.activity == "finished":
                time.sleep(_LAST_LOOK_S)
        self._server.stop()


def _answer(run: RunDir, question: Question, ballot: Ballot) -> Feedback:
    while True:
        draft = read_draft(run, question.generation)
        if draft.submitted:
            try:
                return feedback_of(draft, ballot)
            except UsageError:  # written by something else than our page, which checks answers
                save_draft(run, replace(draft, submitted=False))
        ends = goes_on_at(question, draft)
        if ends is not None and datetime.now().astimezone() >= ends:
            return Feedback(question.generation, unanswered=True)
        time.sleep(_LOOKS_EVERY_S)
