"""A person at a terminal, choosing where the wish has no fitness of its own."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from eureka_agent.records import Outcome


class TerminalJudge:
    """Shows a generation's candidates and asks which one is the best."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def choose(self, outcomes: Sequence[Outcome], best_so_far: Outcome | None) -> str | None:
        """See `Judge.choose`."""
        shown = [*([best_so_far] if best_so_far else []), *outcomes]
        table = Table(title="Which one does best what you wished?")
        for column in ("candidate", "episode length", "what it measured", "components at the end"):
            table.add_column(column)
        for outcome in shown:
            evaluation, training = outcome.evaluation, outcome.training
            if evaluation is None or training is None:
                continue
            measures = ", ".join(f"{name} {value:.3g}" for name, value in evaluation.measures.items())
            last = ", ".join(f"{c.name} {c.values[-1]:.3g}" for c in training.components if c.values)
            table.add_row(outcome.candidate.name, f"{evaluation.episode_length:.0f}", measures or "-", last or "-")
        self._console.print(table)
        names = [outcome.candidate.name for outcome in outcomes]
        default = best_so_far.candidate.name if best_so_far else "none"
        answer = Prompt.ask(
            "The best candidate", choices=[*names, default], default=default, console=self._console, show_choices=True
        )
        return answer if answer in names else None
