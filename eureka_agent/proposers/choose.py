"""Which proposer a run uses."""

from __future__ import annotations

import os
from collections.abc import Mapping

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.bandit import Bandit, Weighted
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.model import ANSWER_TOKENS, Model
from eureka_agent.proposers.prices import Listing, Price, listed
from eureka_agent.proposers.spending import Spending
from eureka_agent.task import Task


def choose_proposer(task: Task, config: SynthesisConfig) -> tuple[Proposer, str]:
    """Return the proposer of rewards that a run's config names, and one line that announces it.

    A model is used only when it is named: a key in the environment is no reason to spend money. Raises
    CredentialsError when a named model has no key, and UsageError when the grammar is to go on from a given reward.
    """
    if not config.model_weights and config.start_from is not None:
        raise UsageError(
            "--start-from needs a --model: the built-in grammar goes on from rewards that it wrote, and reads no other."
        )
    if not config.model_weights:
        announcement = "No model named (--model): the built-in grammar proposes the rewards."
        return GrammarProposer(task, config.seed, wish=config.wish(task)), announcement
    price = None
    if config.price_in is not None and config.price_out is not None:
        price = Price(config.price_in / 1e6, config.price_out / 1e6)
    proposer = chat_proposer(
        config.model_weights,
        base_url=config.base_url,
        temperature=config.temperature,
        answer_tokens=config.answer_tokens,
        price=price,
        spending=Spending(max_tokens=config.max_tokens, max_cost_usd=config.max_cost_usd),
        seed=config.seed,
        learn=config.model_choice == "bandit",
        deadline_s=config.request_timeout_s,
        concurrency=config.concurrency,
    )
    return proposer, _announcement(config)


def chat_proposer(
    weights: Mapping[str, float],
    *,
    base_url: str | None = None,
    temperature: float | None = 1.0,
    answer_tokens: int | None = None,
    price: Price | None = None,
    spending: Spending | None = None,
    seed: int = 0,
    learn: bool = False,
    deadline_s: float = 600.0,
    concurrency: int = 8,
) -> ChatProposer:
    """Return a proposer that asks the models named, each for its share of the samples, or for what it `learn`s.

    `price` is every model's, instead of the list's. With limits in `spending` an answer may be 16,384 tokens long
    unless `answer_tokens` says otherwise. At most `concurrency` requests run at a time, each for at most `deadline_s`
    seconds. Raises UsageError for a model that cannot be asked, or whose price is not
    known although the money is limited.
    """
    spending = spending or Spending()
    models = []
    for name in weights:
        backend, listing = _backend(name, base_url, deadline_s)
        known = price or listing.price
        if known is None and spending.max_cost_usd is not None:
            raise UsageError(
                f"--max-cost-usd needs to know what {name!r} costs, and its price is in no list here: give it with "
                "--price-in and --price-out (USD per million tokens), or limit the tokens with --max-tokens."
            )
        limit = answer_tokens
        if limit is None and spending.limited:
            limit = min(ANSWER_TOKENS, listing.most_answer_tokens or ANSWER_TOKENS)
        models.append(Model(name, backend, temperature=temperature, answer_tokens=limit, price=known))
    choice = Bandit(tuple(weights), seed) if learn else Weighted(weights, seed)
    return ChatProposer(models, choice=choice, spending=spending, concurrency=concurrency, deadline_s=deadline_s)


def _backend(name: str, base_url: str | None, deadline_s: float) -> tuple[Backend, Listing]:
    """Return how a model is asked, and what is listed about it there.

    `provider/name` goes through LiteLLM unless a server is given, by option or by environment: there, names are the
    server's own, and so are its prices.
    """
    # These import an SDK, which takes seconds.
    if "/" in name and not (base_url or os.environ.get("OPENAI_BASE_URL")):
        from eureka_agent.proposers.litellm_backend import LiteLLMBackend  # noqa: PLC0415

        return LiteLLMBackend(name, deadline_s=deadline_s), listed(name)
    from eureka_agent.proposers.openai_backend import OpenAIBackend  # noqa: PLC0415

    backend = OpenAIBackend(name, base_url=base_url, deadline_s=deadline_s)
    return backend, listed(name, "openai") if "api.openai.com" in backend.where else Listing()


def _announcement(config: SynthesisConfig) -> str:
    where = f" at {config.base_url}" if config.base_url else ""
    names = tuple(config.model_weights)
    if len(names) == 1:
        return f"The model {names[0]}{where} proposes the rewards."
    how = "by what their rewards are worth" if config.model_choice == "bandit" else "by their weights"
    return f"The models {', '.join(names[:-1])} and {names[-1]}{where} propose the rewards, chosen {how}."
