"""Every error that eureka_agent raises, in one tree.

::

    EurekaError
    ├── UsageError                the request cannot be carried out as given (exit code 2)
    │   ├── ConfigError           a config field does not exist or has an invalid value
    │   ├── UnknownTaskError      no task, or more than one, has the given name
    │   ├── TaskError             a task's own code has a mistake: the message names file and line
    │   ├── RobotFileError        a robot's file is missing, or no task can be made of it
    │   ├── RewardFileError       a reward file is missing or does not pass the checks
    │   ├── RunDirError           a run's folder exists already, is missing, or cannot be written
    │   └── CredentialsError      a model was asked for and no key for it was found
    ├── CandidateError            a candidate's own fault; its message goes back to the proposer
    │   ├── ExtractionError       no reward function in the completion
    │   ├── CheckError            the source does not pass the static checks
    │   ├── ContractError         it ran on sample states and did not keep the contract
    │   ├── RewardRuntimeError    it failed during training (exception, NaN, time limit)
    │   └── GraphError            the list of operations that its process sent is not accepted
    ├── InternalError             a bug in eureka_agent: the candidate is lost, the run goes on
    ├── SandboxError              the sandbox itself failed: never the candidate's fault
    │   └── MissingLayerError     this machine lacks a layer that --sandbox needs (exit code 2)
    ├── ProposerError             the proposer gave no completion
    │   ├── AuthenticationError   the key was refused
    │   ├── UnknownModelError     the server does not have this model
    │   ├── QuotaError            the account has no credit left
    │   ├── RateLimitedError      too many requests, for longer than we were willing to wait
    │   ├── ContextTooLongError   the prompt does not fit into the model
    │   ├── BadResponseError      the answer is not a chat completion
    │   │   └── RefusedError      the request was refused for another reason
    │   │       └── FilteredError the server's content filter refused the prompt
    │   ├── EmptyAnswersError     every answer to a prompt was empty
    │   └── UnavailableError      the server cannot be reached or keeps failing
    ├── LimitReachedError         a limit of the run leaves no room for another request
    ├── OutOfMemoryError          this machine has too little memory (exit code 2)
    ├── SimulationError           the physics engine could not be built or stepped
    └── StoreError                a run's database cannot be read or written

A failed sandbox and a failed candidate are different branches on purpose: the first stops the run,
the second goes into the next prompt.
"""

from __future__ import annotations

from eureka_agent.text import shortened, storable


class EurekaError(Exception):
    """Base class of all errors of this package. `exit_code`: the command line's exit status."""

    exit_code = 1


class UsageError(EurekaError):
    """Raised by the API and the command line for a request that cannot be carried out as given.

    The message says what to change.
    """

    exit_code = 2


class ConfigError(UsageError):
    """Raised by config classes for an unknown field or a value that does not fit the field.

    The message says what is allowed.
    """


class UnknownTaskError(UsageError):
    """Raised by `find_task` when no task, or more than one, has the given name or description."""


class TaskError(UsageError):
    """Raised when a task is loaded or run and its own code has a mistake.

    The message begins with `file:line` and says what to do.
    """


class RobotFileError(UsageError):
    """Raised by `new_task` for a robot's file that is missing or that no task can be made of."""


class RewardFileError(UsageError):
    """Raised by `load_reward_file` for a file that is missing or not a valid reward function."""


class RunDirError(UsageError):
    """Raised by a command or an API call when a run's folder exists, is missing, or is unusable."""


class CredentialsError(UsageError):
    """Raised before a run when a model was asked for and no API key was found for it."""


class CandidateError(EurekaError):
    """Base class of errors that a candidate caused; the search sends the message to the proposer.

    The message is one sentence that a model can act on, of at most 1,000 characters.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(storable(message)))


class ExtractionError(CandidateError):
    """Raised by `extract` when a completion or a file holds no reward function."""


class CheckError(CandidateError):
    """Raised by the static checks for code that is not allowed, or that reads unknown state."""


class ContractError(CandidateError):
    """Raised by `check_contract` when a reward breaks the contract on sample states.

    Examples: a wrong shape, NaN, or a row's value that depends on other rows.
    """


class RewardRuntimeError(CandidateError):
    """Raised by `RewardRunner.collect` when the reward fails: exception, NaN, time limit, crash."""


class GraphError(CandidateError):
    """Raised by `parse_graph` and `RewardGraph` for operations that trusted code may not run."""


class InternalError(EurekaError):
    """Raised when eureka_agent itself fails on a candidate: a bug of ours, not of the candidate.

    The original exception is its `__cause__`. The candidate is lost, and the run goes on.
    """


class SandboxError(EurekaError):
    """Raised by `Sandbox` when it cannot be started or fails; never the candidate's fault."""


class MissingLayerError(SandboxError):
    """Raised by `Sandbox` when this machine lacks a required layer.

    The message names the `--sandbox` level that works without it.
    """

    exit_code = 2


class ProposerError(EurekaError):
    """Raised by a proposer that gave no completion; base class of the reasons below.

    `retry_after_s`: how long the server asks us to wait before the next request; None if it does
    not say. `may_be_billed`: the request may have been carried out and billed although no usable
    answer came. `late`: the answer was not complete at the deadline.
    `words`: the server's whole message, of which the error quotes a part.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        may_be_billed: bool = False,
        late: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.may_be_billed = may_be_billed
        self.late = late
        self.words = ""


class AuthenticationError(ProposerError):
    """Raised by a proposer when the server refused the key."""

    exit_code = 2


class UnknownModelError(ProposerError):
    """Raised by a proposer when the server does not have the model that was asked for."""

    exit_code = 2


class QuotaError(ProposerError):
    """Raised by a proposer when the account has no credit left."""


class RateLimitedError(ProposerError):
    """Raised by a proposer when the server's rate limit lasts longer than we wait."""


class ContextTooLongError(ProposerError):
    """Raised by a proposer when the prompt does not fit into the model's context."""


class BadResponseError(ProposerError):
    """Raised by a proposer when the server's answer is not a usable chat completion."""


class RefusedError(BadResponseError):
    """Raised by a proposer when the server refused the request as invalid for it or the model."""


class FilteredError(RefusedError):
    """Raised by a proposer when the server's content filter refused the prompt."""


class EmptyAnswersError(ProposerError):
    """Raised by a proposer when every answer to a prompt was empty.

    The model, or the way it is served, is not set up to write text.
    """

    exit_code = 2


class UnavailableError(ProposerError):
    """Raised by a proposer when the server cannot be reached or keeps failing."""


class JudgeError(EurekaError):
    """Raised by a judge that cannot go on: no usable measure, or no score for any candidate.

    A resumed run asks again.
    """


class LimitReachedError(EurekaError):
    """Raised by a proposer when the run's limits leave no room for another request.

    The search catches it and ends normally, with the best reward so far.
    """


class OutOfMemoryError(EurekaError):
    """Raised by simulation and training when memory runs out; the message says what to lower."""

    exit_code = 2


class ExecutorError(EurekaError):
    """A training job ended without a result: its process died, or its machine is gone."""


class SimulationError(EurekaError):
    """Raised by the simulation when the physics engine could not be built or stepped."""


class StoreError(EurekaError):
    """Raised by `Store` when a run's database cannot be read or written, or holds damaged data."""
