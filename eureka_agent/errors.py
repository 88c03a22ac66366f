"""Every error that eureka_agent raises, in one tree.

::

    EurekaError
    ├── UsageError                what the user asked for cannot be done as asked (exit code 2)
    │   ├── ConfigError           a field of a config does not exist, or holds what it cannot hold
    │   ├── UnknownTaskError      no task has this name, alias or exact description, or several do
    │   ├── TaskError             a task's own code has a slip: the message names its file and line
    │   ├── RewardFileError       a reward file is missing or does not pass the checks
    │   ├── RunDirError           a run's folder exists already, is missing, or cannot be written
    │   └── CredentialsError      a model was asked for and no key for it was found
    ├── CandidateError            a candidate's own fault; its message goes back to the proposer
    │   ├── ExtractionError       no reward function in the completion
    │   ├── CheckError            the source does not pass the static checks
    │   ├── ContractError            it ran on sample states and did not keep the contract
    │   ├── RewardRuntimeError    it broke during training (exception, NaN, deadline)
    │   └── GraphError            what its process sent as its list of operations is not accepted
    ├── InternalError             eureka_agent itself broke on a candidate: that one is lost, the
    run goes on ├── SandboxError                 the wall itself failed: never the candidate's fault
    │   └── MissingLayerError     this machine lacks a layer that the run's --sandbox needs (exit
    code 2) ├── ProposerError             the proposer gave no completion
    │   ├── AuthenticationError   the key was refused
    │   ├── UnknownModelError     the server does not have this model
    │   ├── QuotaError            the account has no credit left
    │   ├── RateLimitedError      too many requests, for longer than we were willing to wait
    │   ├── ContextTooLongError   the prompt does not fit into the model
    │   ├── BadResponseError      an answer that is no chat completion
    │   │   └── RefusedError      the request was refused for none of the reasons above
    │   │       └── FilteredError the server's content filter refused the prompt
    │   ├── EmptyAnswersError     every answer to a prompt was empty
    │   └── UnavailableError      the server cannot be reached or keeps failing
    ├── LimitReachedError         a limit of the run leaves no room for another request: the run
    ends with what it has ├── OutOfMemoryError          this machine has too little memory for what
    was asked (exit code 2) ├── SimulationError           the physics engine could not be built or
    stepped └── StoreError                a run's database cannot be read or written

"The wall broke" and "the candidate failed" are different branches on purpose: the first stops a
run, the second is one more thing the next prompt says.
"""

from __future__ import annotations

from eureka_agent.text import shortened, storable


class EurekaError(Exception):
    """Base of all errors of this package; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(EurekaError):
    """The request cannot be carried out as given; the message says what to change."""

    exit_code = 2


class ConfigError(UsageError):
    """A config has no such field, or a field holds a value of a wrong kind; the message says what
    is allowed."""


class UnknownTaskError(UsageError):
    """No task, or more than one, answers to what the user wrote."""


class TaskError(UsageError):
    """The code of a task has a slip. The message begins with `file:line` and says what to do."""


class RewardFileError(UsageError):
    """A reward file that the user gave does not exist or is no acceptable reward function."""


class RunDirError(UsageError):
    """A run's folder exists already, is missing, or cannot be written."""


class CredentialsError(UsageError):
    """A model was asked for and there is no key for it."""


class CandidateError(EurekaError):
    """A candidate's own fault. The message is one sentence that a model can act on, of at most
    1,000 characters."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(storable(message)))


class ExtractionError(CandidateError):
    """The completion holds no reward function."""


class CheckError(CandidateError):
    """The source uses something that reward functions may not use, or asks for unknown state."""


class ContractError(CandidateError):
    """The reward ran on sample states and broke the contract (shape, NaN, batch dependence)."""


class RewardRuntimeError(CandidateError):
    """The reward broke while a policy was trained with it."""


class GraphError(CandidateError):
    """What a sealed process sent as its reward's list of operations is none that trusted code may
    run."""


class InternalError(EurekaError):
    """eureka_agent met something in a candidate that it did not foresee: a fault of ours, never the
    candidate's.

    The cause is the exception that says where. The candidate is lost, and the run goes on.
    """


class SandboxError(EurekaError):
    """The sandbox could not be built, or broke. Says nothing about the candidate."""


class MissingLayerError(SandboxError):
    """This machine lacks a layer that was asked for; the message names the level that goes
    without."""

    exit_code = 2


class ProposerError(EurekaError):
    """The proposer gave no completion.

    `retry_after_s`: how long the server asks us to wait before the next request; None where it does
    not say. `may_be_billed`: the request may have been carried out, and paid for, although no
    usable answer came. `late`: there was no whole answer at the deadline.
    `words`: all that the server said, where the message only quotes it.
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
        self.retry_after_s, self.may_be_billed, self.late = retry_after_s, may_be_billed, late
        self.words = ""


class AuthenticationError(ProposerError):
    """The server refused the key."""

    exit_code = 2


class UnknownModelError(ProposerError):
    """The server does not have the model that was asked for."""

    exit_code = 2


class QuotaError(ProposerError):
    """The account has no credit left."""


class RateLimitedError(ProposerError):
    """The server asked us to slow down for longer than we were willing to wait."""


class ContextTooLongError(ProposerError):
    """The prompt does not fit into the model's context."""


class BadResponseError(ProposerError):
    """The server's answer is not a usable chat completion."""


class RefusedError(BadResponseError):
    """The server refused the request: something in it is not as this server or model wants it."""


class FilteredError(RefusedError):
    """The server's content filter refused the prompt."""


class EmptyAnswersError(ProposerError):
    """Every answer to a prompt was empty: the model, or how it is served, is not set up to
    write."""

    exit_code = 2


class UnavailableError(ProposerError):
    """The server cannot be reached, or keeps failing."""


class LimitReachedError(EurekaError):
    """What the run may spend leaves no room for another request. A run ends with the best it has,
    and no error."""


class OutOfMemoryError(EurekaError):
    """This machine has too little memory for what was asked; the message says which option to
    lower."""

    exit_code = 2


class ExecutorError(EurekaError):
    """A training job ended without a result: its process died, or its machine is gone."""


class SimulationError(EurekaError):
    """The physics engine could not be built or stepped."""


class StoreError(EurekaError):
    """A run's database cannot be read or written."""
