"""Checks of settings that depend on each other; each raises UsageError."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from eureka_agent.config.trainers import sb3_algorithm
from eureka_agent.errors import UsageError
from eureka_agent.utils.addresses import refuse_user_information
from eureka_agent.utils.redaction import redacted

if TYPE_CHECKING:
    from eureka_agent.config.synthesis import SynthesisConfig


def check_combinations(config: SynthesisConfig) -> None:
    """Raise UsageError for settings that cannot work, alone or together."""
    if config.examples_dir is not None and not config.examples:
        raise UsageError(
            "--examples-dir needs --examples, the number of examples that a prompt shows."
        )
    _check_race(config)
    if config.end is not None and config.env is None:
        raise UsageError(
            "--end needs --env: without it, the task itself says where its episodes end."
        )
    _check_initial_reward(config)
    _check_screening(config)
    _check_finals(config)
    _check_strategy(config)
    if config.temperature is not None and not 0.0 <= config.temperature <= 2.0:
        raise UsageError(f"--temperature must lie between 0 and 2, got {config.temperature}.")
    _check_models(config)
    _check_address(config)
    if sb3_algorithm(config.algorithm) != "PPO" and config.trainer != "sb3":
        raise UsageError(
            f"--algorithm {config.algorithm} needs --trainer sb3; {config.trainer} trains with PPO."
        )


def _check_race(config: SynthesisConfig) -> None:
    if not all(0.0 < a < b for a, b in pairwise((*config.race_rungs, 1.0))):
        raise UsageError(
            f"--race-rungs must rise between 0 and 1, got {' '.join(map(str, config.race_rungs))}."
        )
    if config.racing and config.trainer != "population":
        raise UsageError(
            f"--racing needs --trainer population; {config.trainer} trains one reward after the"
            " other."
        )
    falls = all(1.0 >= a >= b > 0.0 for a, b in pairwise((1.0, *config.race_keep)))
    if len(config.race_keep) != len(config.race_rungs) or not falls:
        raise UsageError(
            "--race-keep needs a share for each of --race-rungs, from 1 downwards and above 0, "
            f"got {' '.join(map(str, config.race_keep))} for {len(config.race_rungs)} rungs."
        )


def _check_initial_reward(config: SynthesisConfig) -> None:
    if config.initial_reward is None:
        return
    if not config.initial_reward.strip():
        raise UsageError("--initial-reward is empty: give human, or the path of a reward file.")
    if config.initial_reward == "human" and not config.has_fitness:
        raise UsageError(
            f"--initial-reward human is the reward of the task {config.env}, which differs from"
            f" the instruction {config.task!r}: give a file with a reward for the instruction."
        )
    if config.strategy == "random":
        raise UsageError(
            "--strategy random builds on nothing: leave --initial-reward out, or take another"
            " strategy."
        )


def _check_screening(config: SynthesisConfig) -> None:
    if not 0.0 <= config.novelty < 1.0:
        raise UsageError(f"--novelty must lie between 0 (off) and 1, got {config.novelty}.")
    if config.preference_check and not config.has_fitness:
        raise UsageError(
            "--preference-check needs a fitness, and an instruction with --env has none: leave one"
            " of them out."
        )


def _check_finals(config: SynthesisConfig) -> None:
    if config.final_seeds < 0 or (config.final_seeds and not config.has_fitness):
        got = config.final_seeds
        raise UsageError(
            f"--final-seeds must be 0 or more, and needs a fitness (no --env); got {got}."
        )


def _check_strategy(config: SynthesisConfig) -> None:
    """Refuse numbers of islands or restarts that do not work with the strategy."""
    if config.strategy == "islands" and not 1 < config.islands <= config.samples:
        raise UsageError(
            f"--islands must lie between 2 and the samples of a generation ({config.samples}),"
            f" got {config.islands}."
        )
    if config.strategy == "restarts" and not 0 < config.restart_every < config.generations:
        raise UsageError(
            "--restart-every must lie between 1 and the generations before the last"
            f" ({config.generations - 1}), got {config.restart_every}: with --strategy restarts"
            " there must be at least one restart."
        )


def _check_models(config: SynthesisConfig) -> None:
    """Refuse models, limits and prices that are invalid or contradict each other."""
    if config.model is not None and config.models:
        raise UsageError("--model names one model and --models several: give one of the two.")
    weights = config.model_weights
    if len(weights) < len(config.models):
        raise UsageError(f"--models names a model twice: {' '.join(config.models)}.")
    if not all(weight > 0.0 and math.isfinite(weight) for weight in weights.values()):
        raise UsageError(
            f"--models needs weights above 0, e.g. gpt-5=2, got {' '.join(config.models)}."
        )
    if config.model_choice == "bandit" and (len(weights) < 2 or not config.has_fitness):
        raise UsageError(
            "--model-choice bandit needs several --models, and a task with a fitness to learn from."
        )
    for name in ("max_cost_usd", "max_wall_min", "request_timeout_s"):
        value = getattr(config, name)
        if value is not None and not (value > 0.0 and math.isfinite(value)):
            raise UsageError(f"--{name.replace('_', '-')} must be above 0, got {value}.")
    prices = [price for price in (config.price_in, config.price_out) if price is not None]
    if len(prices) == 1 or any(not (price >= 0.0 and math.isfinite(price)) for price in prices):
        raise UsageError(
            "--price-in and --price-out go together, in USD per million tokens, 0 or above."
        )


def _check_address(config: SynthesisConfig) -> None:
    if config.base_url is not None and not config.model_weights:
        raise UsageError(
            "--base-url needs --model: which model of that server should write the rewards?"
        )
    if (config.stream or config.extra_body is not None) and not config.model_weights:
        raise UsageError("--stream and --extra-body need --model: they say how it is asked.")
    _ = config.extra_fields
    if config.base_url is not None and not config.base_url.startswith(("http://", "https://")):
        raise UsageError(
            f"--base-url must start with http:// or https://, got {redacted(config.base_url)!r}."
        )
    if config.base_url is not None:
        refuse_user_information(config.base_url, "--base-url")
    if odd := [name for name in config.model_weights if "://" in name]:
        raise UsageError(
            "A model's name cannot be an address: give the server as --base-url, got"
            f" {redacted(odd[0])!r}."
        )
