"""Which proposer a run uses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.bandit import BanditSelector, WeightedSelector
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.model import ANSWER_TOKENS, Model
from eureka_agent.proposers.network import URL_VARIABLE
from eureka_agent.proposers.prices import ModelInfo, Price, lookup
from eureka_agent.proposers.spending import UsageLimits
from eureka_agent.tasks.task import Task


def make_proposer(task: Task, config: SynthesisConfig) -> tuple[Proposer, str]:
    """Return the proposer of rewards that a run's config names, and one line that announces it.

    A model is used only when it is named: a key in the environment is no reason to spend money.
    Raises CredentialsError when a named model has no key, and UsageError when the grammar is to go
    on from a given reward.
    """
    if not config.model_weights and config.initial_reward is not None:
        raise UsageError(
            "--initial-reward needs a --model: the built-in grammar goes on from rewards that it"
            " wrote, and reads no other."
        )
    if not config.model_weights:
        announcement = "No model named (--model): the built-in grammar proposes the rewards."
        return (
            GrammarProposer(task, config.seed, instruction=config.instruction(task)),
            announcement,
        )
    price = None
    if config.price_in is not None and config.price_out is not None:
        price = Price(config.price_in / 1e6, config.price_out / 1e6)
    proposer = chat_proposer(
        config.model_weights,
        base_url=config.base_url,
        temperature=config.temperature,
        answer_tokens=config.answer_tokens,
        price=price,
        spending=UsageLimits(max_tokens=config.max_tokens, max_cost_usd=config.max_cost_usd),
        seed=config.seed,
        learn=config.model_choice == "bandit",
        deadline_s=config.request_timeout_s,
        concurrency=config.concurrency,
        stream=config.stream,
        extra=config.extra_fields,
    )
    return proposer, _announcement(config, proposer)


def with_address(config: SynthesisConfig) -> SynthesisConfig:
    """Return the config of a new run with the server's address that the environment names, if it
    needs one.

    So the address is part of the run: a resume in another environment asks the same server.
    """
    named = os.environ.get(URL_VARIABLE)
    return (
        replace(config, base_url=named)
        if named and config.model_weights and not config.base_url
        else config
    )


def refuse_other_address(config: SynthesisConfig) -> None:
    """Raise UsageError when a run that named no server would be resumed with the one that the
    environment names."""
    named = os.environ.get(URL_VARIABLE)
    if named and config.model_weights and not config.base_url:
        raise UsageError(
            f"The run was started without a server's address, and {URL_VARIABLE} names one: unset"
            " it to go on as before, or give the address with --base-url to ask that server from"
            " now on."
        )


def chat_proposer(
    weights: Mapping[str, float],
    *,
    base_url: str | None = None,
    temperature: float | None = 1.0,
    answer_tokens: int | None = None,
    price: Price | None = None,
    spending: UsageLimits | None = None,
    seed: int = 0,
    learn: bool = False,
    deadline_s: float = 600.0,
    concurrency: int = 8,
    stream: bool = False,
    extra: Mapping[str, object] | None = None,
) -> ChatProposer:
    """Return a proposer that asks the models named, each for its share of the samples, or for what
    it `learn`s.

    `price` is every model's, instead of the list's. With limits in `spending` an answer may be
    16,384 tokens long unless `answer_tokens` says otherwise. At most `concurrency` requests run at
    a time, each for at most `deadline_s` seconds. With `stream` answers are streamed; `extra` are
    further fields of each request's body, of which `n` asks for so many choices an answer. Raises
    UsageError for a model that cannot be asked, or whose price is not known although the money is
    limited.
    """
    spending, extra = spending or UsageLimits(), dict(extra or {})
    choices = extra.get("n")
    models = []
    for name in weights:
        backend, listing = _backend(name, base_url, deadline_s, extra)
        known = price or listing.price
        if known is None and spending.max_cost_usd is not None:
            raise UsageError(
                f"--max-cost-usd needs to know what {name!r} costs, and its price is in no list"
                " here: give it with --price-in and --price-out (USD per million tokens), or limit"
                " the tokens with --max-tokens."
            )
        limit = answer_tokens
        if limit is None and spending.limited:
            limit = min(ANSWER_TOKENS, listing.most_answer_tokens or ANSWER_TOKENS)
        models.append(
            Model(
                name,
                backend,
                temperature=temperature,
                answer_tokens=limit,
                price=known,
                stream=stream,
                choices=choices if isinstance(choices, int) else 1,
            )
        )
    choice = BanditSelector(tuple(weights), seed) if learn else WeightedSelector(weights, seed)
    return ChatProposer(
        models, choice=choice, spending=spending, concurrency=concurrency, deadline_s=deadline_s
    )


def _backend(
    name: str, base_url: str | None, deadline_s: float, extra: Mapping[str, object]
) -> tuple[Backend, ModelInfo]:
    """Return how a model is asked, and what is listed about it there.

    `provider/name` goes through LiteLLM unless a server is given, by option or by environment:
    there, names are the server's own, and so are its prices.
    """
    # These import an SDK, which takes seconds.
    if "/" in name and not (base_url or os.environ.get(URL_VARIABLE)):
        from eureka_agent.proposers.litellm_backend import LiteLLMBackend  # noqa: PLC0415

        return LiteLLMBackend(name, deadline_s=deadline_s, extra=extra), lookup(name)
    from eureka_agent.proposers.openai_backend import OpenAIBackend  # noqa: PLC0415

    backend = OpenAIBackend(name, base_url=base_url, deadline_s=deadline_s, extra=extra)
    return backend, lookup(name, "openai") if "api.openai.com" in backend.where else ModelInfo()


def _announcement(config: SynthesisConfig, proposer: ChatProposer) -> str:
    """Return who writes the rewards, and whom they are asked at."""
    places = list(dict.fromkeys(model.where for model in proposer.models.values()))
    names = tuple(config.model_weights)
    if len(places) == 1:
        named, where = [str(name) for name in names], f" at {places[0]}"
    else:
        named, where = [f"{model.name} at {model.where}" for model in proposer.models.values()], ""
    if len(named) == 1:
        return f"The model {named[0]}{where} proposes the rewards."
    how = (
        "by what their rewards are worth" if config.model_choice == "bandit" else "by their weights"
    )
    return (
        f"The models {', '.join(named[:-1])} and {named[-1]}{where} propose the rewards, chosen"
        f" {how}."
    )
