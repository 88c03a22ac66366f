"""Which proposer a run uses."""

from __future__ import annotations

from eureka_agent.errors import UsageError
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.task import Task


def choose_proposer(
    task: Task,
    *,
    model: str | None,
    wish: str | None = None,
    base_url: str | None = None,
    seed: int = 0,
    temperature: float | None = 1.0,
) -> tuple[Proposer, str]:
    """Return the proposer of rewards for `wish` (by default the task's own), and one line that announces it.

    A model is used only when it is named: a key in the environment is no reason to spend money. Raises
    CredentialsError when the named model has no key.
    """
    if model:
        from eureka_agent.proposers.openai_chat import OpenAIProposer  # noqa: PLC0415  the SDK takes a second

        where = f" at {base_url}" if base_url else ""
        proposer = OpenAIProposer(model, base_url=base_url, temperature=temperature)
        return proposer, f"The model {model}{where} proposes the rewards."
    if base_url:
        raise UsageError(f"A server was given ({base_url}) and no model: name one of its models with --model.")
    announcement = "No model named (--model): the built-in grammar proposes the rewards."
    return GrammarProposer(task, seed, wish=wish), announcement
