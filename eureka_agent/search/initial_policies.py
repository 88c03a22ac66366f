"""What the trainings of a run's candidates start from: random weights or a policy.

The human and the sparse reward start from random weights in every run: they are references.
"""

from __future__ import annotations

from eureka_agent.errors import StoreError
from eureka_agent.records import Candidate
from eureka_agent.runs.store import Store
from eureka_agent.search.selection import named
from eureka_agent.training.initial_policy import policy_to_text
from eureka_agent.training.policy import Policy

INITIAL_POLICY = "initial_policy"
"""The fact in the run's database that holds the policy of `--init-policy FILE`."""


class InitialPolicies:
    """Finds the policy that a candidate's training starts from.

    The file of `--init-policy FILE` is read once, before the run; a resumed run reads the database
    alone. With `--init-policy parent` it is the best policy that the parent has so far.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._training = store.config.training

    def of(self, candidate: Candidate) -> str | None:
        """Return what each training of a candidate starts from, for `JobReward.initial_policy`.

        Args:
            candidate: The candidate.

        Returns:
            The policy as base64; None for random weights.

        Raises:
            StoreError: The database cannot be read, or its policy is missing or damaged.
        """
        if self._training.starts_from_parents:
            return self._of_parent(candidate)
        if self._training.policy_file is None:
            return None
        stored = self._store.metadata(INITIAL_POLICY)
        if stored is None:
            raise StoreError(
                f"The run {self._store.path.parent} was stopped before its initial policy"
                " (--init-policy) was written: remove it and start a new run."
            )
        return stored

    def _of_parent(self, candidate: Candidate) -> str | None:
        """Return the policy of the first parent in the candidate's prompt; None without one."""
        parents = [
            prompt.parents[0]
            for prompt in self._store.prompts(candidate.generation)
            if candidate.index in prompt.samples and prompt.parents
        ]
        parent = named(self._store.outcomes(), parents[0]) if parents else None
        if parent is None:
            return None
        data = self._store.policy(parent.candidate.generation, parent.candidate.index)
        if data is None:
            return None
        try:
            Policy.from_bytes(data)  # the run's folder may come from somebody else
        except ValueError as error:
            raise StoreError(
                f"The run holds a damaged policy of {parent.candidate.name}: {error}."
            ) from error
        return policy_to_text(data)
