"""Reward functions without a search: propose, give feedback, refine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import SandboxLevel
from eureka_agent.config.limits import check_seed
from eureka_agent.errors import CandidateError, InternalError, UsageError
from eureka_agent.extract.reading import read_answer
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Candidate, Completion, Failure, Feedback, Outcome, Prompt
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.utils.arguments import check_value, refuse_unknown_arguments
from eureka_agent.utils.did_you_mean import alias_used

_INSTRUCTION_ADVICE = (
    "Any other text is an instruction: RewardGenerator('{env}', instruction={words})."
)


@refuse_unknown_arguments
class RewardGenerator:
    """Proposes rewards for a task and refines them by a person's feedback; nothing is trained.

    Attributes:
        task: The task.
        proposer: What writes the rewards.
        instruction: What the robot should do.
        failures: The completions of the last call that are not a valid reward, with the reasons.
    """

    def __init__(
        self,
        task: TaskLike,
        *,
        proposer: Proposer | None = None,
        instruction: str | None = None,
        seed: int = 0,
        sandbox: SandboxLevel = "full",
    ) -> None:
        """Create a generator.

        Args:
            task: A task, its name or its path.
            proposer: What writes the rewards; by default the built-in grammar. The grammar needs no
                key and does not understand the text given to `refine`: it varies the reward.
            instruction: What the robot should do, if not the task's own description.
            seed: Seed of the grammar.
            sandbox: Which layers of the sandbox must hold when a reward is called.

        Raises:
            UnknownTaskError: There is no such task.
            ConfigError: An argument does not exist or has a wrong type or value.
        """
        check_value("task", task, Task | str | os.PathLike)
        check_value("instruction", instruction, str | None)
        check_value("sandbox", sandbox, SandboxLevel)
        check_value("seed", seed, int)
        check_seed(seed)
        self.task = find_task(task, advice=_INSTRUCTION_ADVICE)
        self.proposer = proposer or GrammarProposer(self.task, seed, instruction=instruction)
        self.instruction = instruction or self.task.description
        self._asked_as = "" if instruction else alias_used(str(task), self.task)
        self.failures: list[Outcome] = []
        self._history: list[Outcome] = []
        self._round = 0
        self._level: SandboxLevel = sandbox

    def generate(self, n: int = 1) -> list[RewardFunction]:
        """Propose rewards.

        Args:
            n: Number of completions to ask for.

        Returns:
            The rewards that pass the checks, at most `n`; see `failures` for the others.

        Raises:
            CandidateError: No completion is a valid reward.
            ProposerError: The proposer failed.
            UsageError: `n` is less than 1.
        """
        return self._rewards(self._prompt(), n)

    def refine(
        self, feedback: str, reward: RewardFunction | None = None, n: int = 1
    ) -> list[RewardFunction]:
        """Propose improvements of a reward.

        Args:
            feedback: What should change; the prompt quotes it.
            reward: The reward to improve; by default the last one.
            n: Number of completions to ask for.

        Returns:
            The rewards that pass the checks, at most `n`; see `failures` for the others.

        Raises:
            CandidateError: No completion is a valid reward.
            ProposerError: The proposer failed.
            UsageError: `feedback` is empty, there is no reward yet, or `n` is less than 1.
        """
        if not feedback.strip():
            raise UsageError(
                "refine() needs feedback: what is wrong with the reward, or what should the robot"
                " do?"
            )
        parent = self._outcome_of(reward)
        comments = {parent.candidate.name: feedback}
        verdict = Feedback(parent.candidate.generation, words=comments)
        return self._rewards(self._prompt((parent,), self._history, (verdict,)), n)

    def _prompt(
        self,
        parents: Sequence[Outcome] = (),
        history: Sequence[Outcome] = (),
        feedback: Sequence[Feedback] = (),
    ) -> Prompt:
        return write_prompt(
            self.task,
            self.instruction,
            self._round,
            parents,
            history,
            feedback,
            asked_as=self._asked_as,
        )

    def _outcome_of(self, reward: RewardFunction | None) -> Outcome:
        valid = [outcome for outcome in self._history if outcome.candidate.reward is not None]
        if reward is None:
            if not valid:
                raise UsageError(
                    "There is no reward to refine yet: call generate() first, or pass reward=."
                )
            return valid[-1]
        for outcome in valid:
            if outcome.candidate.reward == reward.reward:
                return outcome
        completion = Completion(0, f"```python\n{reward.source}\n```", "user")
        return Outcome(Candidate(0, completion, reward.reward))

    def _rewards(self, prompt: Prompt, n: int) -> list[RewardFunction]:
        check_value("n", n, int)
        if n < 1:
            raise UsageError(f"n must be at least 1, got {n}.")
        completions = sorted(
            self.proposer.propose(dict.fromkeys(range(n), prompt)),
            key=lambda completion: completion.index,
        )
        outcomes = [self._checked(completion) for completion in completions]
        self._round += 1
        self._history += outcomes
        self.failures = [outcome for outcome in outcomes if outcome.failure]
        rewards = [outcome.candidate.reward for outcome in outcomes if outcome.candidate.reward]
        if not rewards:
            raise CandidateError(
                "No completion is a valid reward function. The first one:"
                f" {_message(self.failures)}"
            )
        return [RewardFunction(self.task, reward, sandbox=self._level) for reward in rewards]

    def _checked(self, completion: Completion) -> Outcome:
        candidate = Candidate(self._round, completion, None)
        try:
            reward = read_answer(completion, self.task.reward_inputs)
        except CandidateError as error:
            return Outcome(candidate, failure=Failure("check", str(error)))
        except InternalError as error:
            return Outcome(candidate, failure=Failure("internal", str(error)))
        return Outcome(replace(candidate, reward=reward))


def _message(failures: Sequence[Outcome]) -> str:
    failure = failures[0].failure if failures else None
    return failure.message if failure else "there was none"
