"""What a run says of itself before it works: its proposer, its sandbox, where rewards run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from eureka_agent.config.training import PARENT
from eureka_agent.jail import Layers
from eureka_agent.jail.sandbox import describe_layers
from eureka_agent.proposers.description import AskedModel, LargestCost, ProposerDescription
from eureka_agent.records import SettingChange
from eureka_agent.report.formatting import one_line
from eureka_agent.search.events import RewardPlaces
from eureka_agent.training.checkpoint import IgnoredCheckpoint


def proposer_line(proposer: ProposerDescription, changes: Sequence[SettingChange] = ()) -> str:
    """Return what proposes the rewards, its largest cost, and what resumes changed."""
    sentences = [_proposer(proposer)]
    if proposer.largest_cost is not None:
        sentences.append(_largest_cost(proposer.largest_cost))
    if changes:
        sentences.append(f"Changed since the start: {', '.join(changed_settings(changes))}.")
    return one_line(" ".join(sentences))


def _proposer(proposer: ProposerDescription) -> str:
    if proposer.kind == "grammar":
        return "No model named (--model): the built-in grammar proposes the rewards."
    if proposer.kind == "own":
        return f"The proposer {proposer.name!r} proposes the rewards."
    return _models(proposer.models, learns_shares=proposer.learns_shares)


def _models(models: Sequence[AskedModel], *, learns_shares: bool) -> str:
    servers = {model.server for model in models}
    if len(servers) == 1:
        named = [model.name for model in models]
        where = f" at {models[0].server}"
    else:
        named = [f"{model.name} at {model.server}" for model in models]
        where = ""
    if len(named) == 1:
        return f"The model {named[0]}{where} proposes the rewards."
    how = "by what their rewards are worth" if learns_shares else "by their weights"
    return (
        f"The models {', '.join(named[:-1])} and {named[-1]}{where} propose the rewards, chosen"
        f" {how}."
    )


def _largest_cost(cost: LargestCost) -> str:
    unpriced = "" if cost.every_price_known else " of unknown price"
    return (
        f"At most {cost.usage}{unpriced}, if no answer is longer than {cost.answer_tokens:,} tokens"
        " and none is asked for again."
    )


def changed_settings(changes: Sequence[SettingChange]) -> list[str]:
    """Return what resumes changed, oldest first.

    Such as `--model from gpt-4 to gpt-5 on 2026-01-31`.
    """
    lines = []
    for change in changes:
        option, day = change.name.replace("_", "-"), change.when.partition("T")[0]
        before, after = _as_typed(change.before), _as_typed(change.after)
        lines.append(one_line(f"--{option} from {before} to {after} on {day}"))
    return lines


def where_trainings_start(init_policy: str | None) -> list[str]:
    """Return what the candidates' trainings start from; empty for random weights.

    `init_policy`: the option of that name.
    """
    if init_policy is None:
        return []
    origin = f"the policy in {init_policy}"
    if init_policy == PARENT:
        origin = "the policy of the reward that it builds on, if there is one"
    return [
        one_line(
            f"The training of each candidate starts from {origin} (--init-policy), so its fitness"
            " includes earlier training; the human and the sparse reward start from random"
            " weights."
        )
    ]


def _as_typed(value: str) -> str:
    """Return a stored value as it is typed: the entries of a list with spaces between them."""
    given = json.loads(value)
    return " ".join(map(str, given)) if isinstance(given, list) else value


def sandbox_line(layers: Layers) -> str:
    """Return which layers of the sandbox hold and which are missing."""
    return one_line(describe_layers(layers))


def where_rewards_run(places: RewardPlaces) -> list[str]:
    """Return where the rewards are computed; empty on the CPU, where all run in the sandbox."""
    if places.device == "cpu":
        return []
    parts = []
    if places.as_operations:
        names = ", ".join(places.as_operations)
        parts.append(f"as tensor operations on {places.device}: {names}")
    if places.in_sandbox:
        parts.append(f"in sandboxed processes on the CPU: {', '.join(places.in_sandbox)}")
    return [one_line(f"Rewards run {'; '.join(parts)}.")]


def ignored_checkpoint(ignored: IgnoredCheckpoint | None) -> list[str]:
    """Return why a saved training is not continued; empty if it is, or there is none."""
    if ignored is None:
        return []
    return [
        one_line(
            f"The training saved in {ignored.file} has format {ignored.version} and this version"
            f" reads {ignored.supported}: the training starts again."
        )
    ]
