"""A judge of your own: it prefers policies that stay up, and doubles a weight of the best reward.

Run it with `python examples/own_judge.py`.
"""

from __future__ import annotations

import eureka_agent as ea
from eureka_agent.records import Outcome


def episode_length(outcome: Outcome) -> float:
    return outcome.evaluation.episode_length if outcome.evaluation else 0.0


class LongestEpisodes:
    """Ranks candidates by the length of their episodes, and edits the best reward once."""

    needs_terminal = False

    def open(self) -> None:
        print("The judge is ready.")

    def ask(self, request: ea.FeedbackRequest) -> ea.Feedback:
        ranked = sorted(request.trained, key=episode_length, reverse=True)
        best = ranked[0].candidate
        code = best.reward.code if best.reward else ""
        print(f"Of generation {request.generation} the judge chose {best.name}.")
        return ea.Feedback(
            request.generation,
            ranking=tuple(outcome.candidate.name for outcome in ranked),
            words={best.name: "It stays up longest. Keep the term for the angle."},
            edited={best.name: code.replace("return reward,", "return 2.0 * reward,")},
        )

    def close(self) -> None:
        print("The judge is done.")


def main() -> None:
    config = ea.SynthesisConfig.of(
        task="cartpole", budget="quick", environment_steps=20_000, generations=2, samples=3
    )
    result = ea.synthesize(config, judge=LongestEpisodes())
    for outcome in result.outcomes:
        proposer = outcome.candidate.completion.proposer
        print(f"{outcome.candidate.name} by {proposer}: {outcome.fitness:.1f} steps")


if __name__ == "__main__":
    main()
