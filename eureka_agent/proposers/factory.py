"""Create the proposer of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.bandit import BanditSelector, WeightedSelector
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.description import AskedModel, ProposerDescription
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.model import ANSWER_TOKENS, Model
from eureka_agent.proposers.network import URL_VARIABLE
from eureka_agent.proposers.prices import ModelInfo, Price
from eureka_agent.proposers.spending import UsageLimits
from eureka_agent.tasks.task import Task


def make_proposer(task: Task, config: SynthesisConfig) -> tuple[Proposer, ProposerDescription]:
    """Return the proposer that a run's config names.

    A model is used only if the config names it: an API key in the environment does not make it
    spend money.

    Args:
        task: the task of the run.
        config: the run's settings.

    Returns:
        The proposer, and what it is as data.

    Raises:
        CredentialsError: if a named model has no key.
        UsageError: if a model cannot be asked, or the grammar should start from a given reward.
    """
    if not config.models.weights and config.search.starts_from_reward:
        raise UsageError(
            "--initial-reward needs a --model: the built-in grammar builds only on rewards that it"
            " wrote itself. With --hide-initial-reward it need not build on this one."
        )
    if not config.models.weights:
        instruction = config.task.instruction(task)
        grammar = GrammarProposer(task, config.search.seed, instruction=instruction)
        return grammar, ProposerDescription("grammar", grammar.name)
    models = config.models
    price = Price(models.price[0] / 1e6, models.price[1] / 1e6) if models.price else None
    proposer = chat_proposer(
        config.models.weights,
        base_url=config.models.base_url,
        temperature=None if models.temperature == "server" else models.temperature,
        answer_tokens=config.models.answer_tokens,
        price=price,
        spending=UsageLimits(
            max_tokens=config.run.max_tokens, max_cost_usd=config.run.max_cost_usd
        ),
        seed=config.search.seed,
        learn=config.models.model_choice == "bandit",
        deadline_s=config.models.request_timeout_s,
        concurrency=config.models.concurrency,
        stream=config.models.stream,
        extra=config.models.extra_fields,
    )
    learns = models.model_choice == "bandit"
    return proposer, _description(models.weights, proposer, learns_shares=learns)


def with_address(config: SynthesisConfig) -> SynthesisConfig:
    """Return the config of a new run with the server's address from the environment, if needed.

    The address becomes part of the run, so that a resume in another environment asks the same
    server.
    """
    named = os.environ.get(URL_VARIABLE)
    needed = named and config.models.asks_models and not config.models.base_url
    return config.replaced(base_url=named) if needed else config


def refuse_other_address(config: SynthesisConfig) -> None:
    """Raise UsageError if a run without an address would be resumed with the environment's."""
    named = os.environ.get(URL_VARIABLE)
    if named and config.models.asks_models and not config.models.base_url:
        raise UsageError(
            f"The run was started without a server's address, but {URL_VARIABLE} names one: unset"
            " it to continue as before, or give the address with --base-url to ask that server from"
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
    """Return a proposer that asks the named models.

    Args:
        weights: each model's share of the samples, by the model's name.
        base_url: address of an OpenAI-compatible server.
        temperature: sampling temperature; None leaves it to the server.
        answer_tokens: longest answer in tokens; by default the server's limit, or 16,384 if
            `spending` has limits.
        price: the price of every model, instead of the price list's.
        spending: limits of tokens and cost; by default none.
        seed: seed of the choice of models.
        learn: choose models by what their rewards are worth (`BanditSelector`) instead of by share.
        deadline_s: seconds after which a request has failed.
        concurrency: maximum number of requests at a time.
        stream: whether to request streamed answers.
        extra: further fields of each request's body; `n` is the number of choices in an answer.

    Returns:
        The proposer; no request has been sent.

    Raises:
        CredentialsError: if a model has no key.
        UsageError: if a model cannot be asked, or its price is unknown although the cost is
            limited.
    """
    spending, extra = spending or UsageLimits(), dict(extra or {})
    choices = extra.get("n")
    models = []
    for name in weights:
        backend, info = _backend(name, base_url, deadline_s, extra)
        known = price or info.price
        if known is None and spending.max_cost_usd is not None:
            raise UsageError(
                f"--max-cost-usd needs the price of {name!r}, which is unknown: give it with"
                " --price (USD per million tokens), or limit the tokens with"
                " --max-tokens."
            )
        limit = answer_tokens
        if limit is None and spending.limited:
            limit = min(ANSWER_TOKENS, info.max_answer_tokens or ANSWER_TOKENS)
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
    """Return a model's backend and what is known about the model.

    `provider/name` goes through LiteLLM unless a server is given by option or environment: in that
    case names, and prices, are the server's own.
    """
    # These import an SDK, which takes seconds.
    if "/" in name and not (base_url or os.environ.get(URL_VARIABLE)):
        from eureka_agent.proposers.litellm_backend import LiteLLMBackend  # noqa: PLC0415

        of_provider = LiteLLMBackend(name, deadline_s=deadline_s, extra=extra)
        return of_provider, of_provider.model_info()
    from eureka_agent.proposers.openai_backend import OpenAIBackend  # noqa: PLC0415

    of_server = OpenAIBackend(name, base_url=base_url, deadline_s=deadline_s, extra=extra)
    return of_server, of_server.model_info()


def _description(
    weights: Mapping[str, float], proposer: ChatProposer, *, learns_shares: bool
) -> ProposerDescription:
    """Return which models propose the rewards, with their shares and servers."""
    total = sum(weights.values())
    models = [
        AskedModel(model.name, weights[model.name] / total, model.where)
        for model in proposer.models.values()
    ]
    return ProposerDescription("models", proposer.name, tuple(models), learns_shares)
