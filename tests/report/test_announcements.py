"""What a run says of its proposer, its sandbox and its rewards before it works."""

from __future__ import annotations

from dataclasses import replace

from eureka_agent.jail import Layers
from eureka_agent.proposers.description import AskedModel, LargestCost, ProposerDescription
from eureka_agent.proposers.spending import Usage
from eureka_agent.records import SettingChange
from eureka_agent.report.announcements import (
    ignored_checkpoint,
    proposer_line,
    sandbox_line,
    where_rewards_run,
)
from eureka_agent.search.events import RewardPlaces

HERE = "http://localhost:1/v1"


def models(*names: str, server: str = HERE) -> tuple[AskedModel, ...]:
    return tuple(AskedModel(name, 1.0 / len(names), server) for name in names)


def test_the_grammar_and_an_own_proposer_are_announced() -> None:
    assert proposer_line(ProposerDescription("grammar", "grammar")) == (
        "No model named (--model): the built-in grammar proposes the rewards."
    )
    assert proposer_line(ProposerDescription("own", "mine")) == (
        "The proposer 'mine' proposes the rewards."
    )


def test_models_are_announced_with_their_servers() -> None:
    one = ProposerDescription("models", "m", models("m"))
    assert proposer_line(one) == f"The model m at {HERE} proposes the rewards."
    three = ProposerDescription("models", "a, b, c", models("a", "b", "c"))
    assert proposer_line(three) == (
        f"The models a, b and c at {HERE} propose the rewards, chosen by their weights."
    )
    assert proposer_line(replace(three, learns_shares=True)).endswith(
        "chosen by what their rewards are worth."
    )
    apart = replace(three, models=(*models("a"), *models("b", server="openai")))
    assert f"The models a at {HERE} and b at openai propose" in proposer_line(apart)


def test_the_largest_cost_and_changed_settings_follow_the_proposer() -> None:
    cost = LargestCost(Usage(12_000), 1_000, every_price_known=False)
    description = ProposerDescription("models", "m", models("m"), largest_cost=cost)
    change = SettingChange("2026-01-31T10:00:00", "max_tokens", "1", "2")
    assert proposer_line(description, [change]) == (
        f"The model m at {HERE} proposes the rewards. At most 12,000 tokens of unknown price, if no"
        " answer is longer than 1,000 tokens and none is asked for again. Changed since the start:"
        " --max-tokens from 1 to 2 on 2026-01-31."
    )


def test_the_sandbox_names_what_holds_and_what_is_missing() -> None:
    sealed = Layers("full", ("seccomp", "rlimits"), {}, ())
    assert sandbox_line(sealed) == "Rewards run in sealed processes (seccomp, rlimits)."
    open_ = Layers("static-checks", (), {"seccomp": "no Linux"}, ("read a file",))
    assert sandbox_line(open_) == (
        "NOT SEALED: code that gets past the static checks can read a file. Layers that hold: none."
        " Missing at --sandbox static-checks: seccomp: no Linux."
    )


def test_only_a_gpu_run_says_where_rewards_run() -> None:
    assert where_rewards_run(RewardPlaces("cpu", (), ("g0c0",))) == []
    assert where_rewards_run(RewardPlaces("cuda", ("g0c0",), ("g0c1", "g0c2"))) == [
        "Rewards run as tensor operations on cuda: g0c0; in sandboxed processes on the CPU: g0c1,"
        " g0c2."
    ]
    assert ignored_checkpoint(None) == []
