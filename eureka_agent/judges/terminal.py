"""A judge that shows a generation at a terminal and reads a person's feedback."""

from __future__ import annotations

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from eureka_agent.errors import UsageError
from eureka_agent.judges.pending_feedback import COMMANDS, PendingFeedback
from eureka_agent.records import Feedback, Outcome
from eureka_agent.report.formatting import (
    STAGES,
    escape_control,
    fitness,
    fitness_line,
    number,
    one_line,
)
from eureka_agent.report.terminal.page import plain_table
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.search.selection import named
from eureka_agent.utils.did_you_mean import did_you_mean

_HELP = {
    "code g0c3": "show a reward function",
    "best g0c3": "the search goes on from it",
    "worst g0c1": "the model is told which one you like least",
    "rank g0c3 > g0c0 > g0c1": "best, between, worst; any number of candidates",
    "say g0c3 too shaky": "the model reads these words verbatim",
    "table": "show the candidates again",
    "next": "done; go on (so does Ctrl-D)",
    "stop": "done; end the search with the best so far",
}
_SHORT = "code | best | worst | rank | say | table | next | stop | help"


class TerminalJudge:
    """Reads lines from standard input until `next`, `stop` or the end of the input.

    A mistake is explained and the line is asked for again. Ctrl-C discards the answers for this
    generation; a resumed run asks for them again.

    Args:
        console: the terminal to print to.
    """

    needs_terminal = True

    def __init__(self, console: Console) -> None:
        self._console = console

    def open(self) -> None:
        """See `Judge.open`; the terminal is there."""

    def close(self) -> None:
        """See `Judge.close`; nothing was taken."""

    def ask(self, request: FeedbackRequest) -> Feedback:
        """Show a generation and return the person's feedback on it.

        Args:
            request: the generation to judge.

        Returns:
            The feedback.

        Raises:
            UsageError: if the input ends before the feedback is complete.
        """
        self._show(request)
        self._say(f"Type: {_SHORT}", "dim")
        pending = PendingFeedback(request)
        while True:
            try:
                line = self._console.input(Text(f"g{request.generation}> ", "bold"))
            except EOFError:
                self._say("")
                return pending.finish()
            except UnicodeDecodeError:
                self._say("The line is not UTF-8 text; type it again.", "yellow")
                continue
            try:
                answer = self._execute(
                    pending, line.encode("utf-8", "replace").decode("utf-8").strip()
                )
            except UsageError as mistake:
                self._say(str(mistake), "yellow")
                continue
            if isinstance(answer, Feedback):
                return answer
            pending = answer

    def _execute(self, pending: PendingFeedback, line: str) -> PendingFeedback | Feedback:
        command, _, rest = line.partition(" ")
        match command.casefold():
            case "next" | "stop" as last if not rest.strip():
                return pending.finish(stop=last == "stop")
            case "code":
                self._show_code(pending, rest)
            case "table":
                self._show(pending.request)
            case "" | "help" | "?":
                self._show_help()
            case change if change in COMMANDS:
                pending = COMMANDS[change](pending, rest)
                self._say(str(pending))
            case "next" | "stop":
                raise UsageError(
                    f"{command} takes nothing after it; words need a candidate: say g0c3"
                    f" {escape_control(rest)}"
                )
            case _:
                near = did_you_mean(command, [*COMMANDS, "code", "table", "next", "stop", "help"])
                raise UsageError(f"There is no command '{one_line(command)}'.{near} Type: {_SHORT}")
        return pending

    # ------------------------------------------------------------------ output
    def _show(self, request: FeedbackRequest) -> None:
        self._say("")
        self._say(
            f"What do you think of generation g{request.generation}? The instruction:"
            f" {one_line(request.instruction)}",
            "bold",
        )
        if request.has_fitness:
            line = fitness_line(request.task.fitness_unit, request.task.fitness_solved)
            self._say(f"Fitness in {line}.", "dim")
        table = plain_table()
        table.add_column("reward", no_wrap=True)
        for figure in ("fitness", "steps") if request.has_fitness else ("steps",):
            table.add_column(figure, no_wrap=True, justify="right")
        table.add_column("measures; components, mean per step at the end", ratio=1, overflow="fold")
        for outcome in request.trained:
            if outcome.overall is not None:
                figures = [fitness(outcome.overall)] if request.has_fitness else []
                figures.append(number(outcome.overall.episode_length, 0))
                table.add_row(
                    outcome.candidate.name, *figures, _details(outcome, outcome == request.best)
                )
        self._console.print(table)
        for outcome in request.outcomes:
            if outcome.failure is not None:
                reason = f"{STAGES[outcome.failure.stage]}: {one_line(outcome.failure.message)}"
                self._say(f"{outcome.candidate.name} failed, {reason}", "dim")
            elif outcome.duplicate_of:
                self._say(
                    f"{outcome.candidate.name} computes the same as {outcome.duplicate_of}.", "dim"
                )

    def _show_code(self, pending: PendingFeedback, text: str) -> None:
        name, request = pending.candidate(text), pending.request
        outcome = named((*request.outcomes, *request.trained), name)
        if outcome is None or outcome.candidate.reward is None:
            raise UsageError(f"{name} has no readable code.")
        code = escape_control(outcome.candidate.reward.code)
        self._console.print(Syntax(code, "python", background_color="default", word_wrap=True))

    def _show_help(self) -> None:
        table = plain_table()
        table.show_header = False
        for command, meaning in _HELP.items():
            table.add_row(Text(command, "bold"), meaning)
        self._console.print(table)

    def _say(self, words: str, style: str = "") -> None:
        self._console.print(Text(escape_control(words), style, overflow="fold"))


def _details(outcome: Outcome, best: bool) -> Text:
    """Return the task's measures and the components' means per step at the end of the training."""
    measures = outcome.overall.measures.items() if outcome.overall else ()
    curves = outcome.training.components if outcome.training else ()
    parts = [", ".join(f"{name} {number(value)}" for name, value in measures)]
    parts.append(
        ", ".join(f"{curve.name} {number(curve.values[-1])}" for curve in curves if curve.values)
    )
    return Text(one_line("; ".join([*(["the best so far"] if best else []), *filter(None, parts)])))
