"""Show a success measure at the terminal, and ask whether it is what was meant."""

from __future__ import annotations

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from eureka_agent.errors import UsageError
from eureka_agent.judges.measure import Accept
from eureka_agent.text import escape_control

_QUESTION = "Does this measure what you want? It stays the same for the whole run. [yes/no] "


def accepted_at(console: Console) -> Accept:
    """Return a function that shows a measure and reads `yes` or `no`.

    Args:
        console: the terminal to print to; the answer is read from standard input.

    Returns:
        The function. It raises UsageError if the input ends before an answer.
    """

    def accept(code: str) -> bool:
        console.print(Text("The success measure, as the model wrote it:", "bold"))
        shown = Syntax(escape_control(code), "python", background_color="default", word_wrap=True)
        console.print(shown)
        while True:
            try:
                answer = console.input(Text(_QUESTION, "bold")).strip().casefold()
            except EOFError:
                raise UsageError(
                    "The model's success measure has to be accepted: answer yes at the terminal,"
                    " or add --yes."
                ) from None
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")
            console.print(Text("Type yes or no.", "yellow"))

    return accept
