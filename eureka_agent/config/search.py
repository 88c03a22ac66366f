"""`SearchConfig`: how many rewards are proposed, and what each generation builds on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Suppress

from eureka_agent.config.choices import split_choice
from eureka_agent.config.limits import check_counts, check_repeats, check_seed
from eureka_agent.errors import UsageError
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments

FeedbackName = Literal["none", "cli", "web", "synthetic"]
JudgeName = Literal["none", "code", "vision"]

_FEWEST_PLACES = 2
"""So many candidates of a generation are trained with every seed."""
_STRATEGIES = {"greedy": None, "random": None, "islands": 2, "restarts": 5}
"""The strategies, with the number that each takes by default."""


@refuse_unknown_arguments
@dataclass(frozen=True)
class SearchConfig:
    """Rounds of proposing, training and reflecting."""

    generations: int = 3
    """Number of rounds."""
    samples: int = 8
    """Reward functions proposed in each generation."""
    strategy: str = "greedy"
    """What a generation builds on: greedy (the best so far, as in Eureka),
    islands[:N] (N parallel searches), restarts[:N] (start again after N
    generations) or random (nothing)."""
    initial_reward: str | None = None
    """First parent: human (the task's own reward) or a reward file."""
    hide_initial_reward: bool = False
    """The initial reward is not shown, and no parent: it only has to be
    beaten."""
    feedback: FeedbackName = "none"
    """Who ranks each generation: nobody, you at this terminal (cli) or on a
    page in your browser (web), or a stand-in that knows the fitness
    (synthetic)."""
    judge: JudgeName = "none"
    """What scores each generation: a success measure that the model writes
    first (code), or a model that sees episodes (vision)."""
    measure: Path | None = None
    """With --judge code: a file with the measure."""
    yes: bool = False
    """With --judge code: take the model's measure unasked."""
    seeds: int = 4
    """Most training seeds of a candidate. The better a reward looks, the
    more it gets; with 1 the luckiest training wins."""
    baselines: bool = True
    """Train the human and the sparse reward for comparison."""
    final_seeds: int = 0
    """Train the best reward again with that many other seeds at the end:
    5 or more give a useful interval."""
    seed: int = 0
    """Seed of search, training and evaluation."""
    attempts: Annotated[int, Suppress] = 3
    """Python only: how often a generation of which every reward fails is requested at most."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        check_values(self)
        check_counts(self, "generations", "samples", "seeds", "attempts")
        check_repeats(self, "final_seeds")
        check_seed(self.seed)
        self._check_judge()
        if self.initial_reward is not None:
            self._check_initial_reward()
        elif self.hide_initial_reward:
            raise UsageError("--hide-initial-reward needs an --initial-reward that it hides.")
        number = self.strategy_number
        if self.strategy_name == "islands" and not 1 < number <= self.samples:
            raise UsageError(
                "--strategy islands:N needs an N between 2 and the samples of a generation"
                f" ({self.samples}), got {number}."
            )
        if self.strategy_name == "restarts" and not 0 < number < self.generations:
            raise UsageError(
                "--strategy restarts:N needs an N between 1 and the generations before the last"
                f" ({self.generations - 1}), got {number}: there must be at least one restart."
            )

    def _check_judge(self) -> None:
        if self.judge != "none" and self.feedback != "none":
            raise UsageError(
                f"--judge {self.judge} and --feedback {self.feedback} both rank the candidates:"
                " leave one of them out."
            )
        if self.judge != "code" and (self.measure is not None or self.yes):
            option = "--measure" if self.measure is not None else "--yes"
            raise UsageError(f"{option} needs --judge code, which scores by a success measure.")

    def _check_initial_reward(self) -> None:
        if not str(self.initial_reward).strip():
            raise UsageError("--initial-reward is empty: give human, or the path of a reward file.")
        if self.strategy_name == "random" and not self.hide_initial_reward:
            raise UsageError(
                "--strategy random builds on nothing: leave --initial-reward out, or take another"
                " strategy."
            )

    def places(self, trained: int, seed: int) -> int:
        """Return how many candidates of a generation are trained with a seed.

        Args:
            trained: Number of candidates of the generation that were trained with the first seed.
            seed: Number of the seed, from 0.
        """
        if seed == 0:
            return trained
        return min(trained, max(_FEWEST_PLACES, math.ceil(trained / (1 << seed))))

    @property
    def trainings_per_generation(self) -> int:
        """The most trainings of a generation's candidates, over all seeds."""
        return sum(self.places(self.samples, seed) for seed in range(self.seeds))

    @property
    def starts_from_reward(self) -> bool:
        """Whether the first generation builds on the initial reward."""
        return self.initial_reward is not None and not self.hide_initial_reward

    @property
    def strategy_name(self) -> str:
        """The strategy without its number."""
        return split_choice("--strategy", self.strategy, _FORMS)[0]

    @property
    def strategy_number(self) -> int:
        """How many islands, or generations between restarts; 0 for other strategies."""
        name, text = split_choice("--strategy", self.strategy, _FORMS)
        if not text:
            return _STRATEGIES[name] or 0
        if not text.isdecimal() or len(text) > 6:
            raise UsageError(f"--strategy {name}:N takes a whole number, got {text!r}.")
        return int(text)


_FORMS = {name: f"{name}[:N]" if number else name for name, number in _STRATEGIES.items()}
