"""Check a generation's completions, and send those that fail back for repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from eureka_agent.records import Candidate, Completion, Outcome, Prompt
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator, PreparedCandidate
from eureka_agent.search.proposals import Proposals


def prepare_candidates(
    store: Store,
    evaluator: Evaluator,
    proposals: Proposals,
    g: int,
    prompts: Mapping[int, Prompt],
    completions: Sequence[Completion],
    open_rewards: ExitStack,
) -> tuple[list[PreparedCandidate], list[Outcome]]:
    """Check the completions of generation `g`, with repairs where the run allows them.

    Args:
        store: Keeps what passed the checks.
        evaluator: Checks a candidate.
        proposals: Sends a completion back.
        g: The generation.
        prompts: The prompt of each sample that a proposer was asked for.
        completions: What is checked.
        open_rewards: Closes the rewards' processes.

    Returns:
        The candidates that passed, and the failures that no repair fixed.
    """
    prepared: list[PreparedCandidate] = []
    failed: dict[int, Outcome] = {}
    while completions:
        for completion in completions:
            result = evaluator.prepare(Candidate(g, completion, None), open_rewards)
            if isinstance(result, Outcome):
                failed[completion.index] = result
            else:
                failed.pop(completion.index, None)
                store.save_check(result.candidate)
                prepared.append(result)
        to_repair = [failed[each.index] for each in completions if each.index in failed]
        completions = proposals.repair(g, prompts, to_repair)
    # Sorted by sample, whether repaired or not: the first of two duplicates is trained.
    return sorted(prepared, key=lambda each: each.candidate.index), list(failed.values())
