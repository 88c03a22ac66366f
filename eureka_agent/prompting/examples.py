"""A library of (wish, reward) pairs, of which a prompt shows those that are nearest to its own
wish.

Text2Reward (Xie et al. 2024, section 3) retrieves few-shot examples in this way. A pair is a
Markdown file: the wish as its title, a list of what the reward reads, the reward. Those of
`prompts/examples/` were written by hand for made-up tasks, and nobody has trained a policy with
them.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from eureka_agent.checks import check_source
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import CandidateError, UsageError
from eureka_agent.extract import extract
from eureka_agent.prompting.prompt import describe, fenced, number
from eureka_agent.records import Example, RewardSource
from eureka_agent.tasks.registry import telling_words
from eureka_agent.tasks.task import StateSpec, StateVariable, Task

_TITLE = re.compile(r"^# +(\S.*)$", re.MULTILINE)
_LISTED = re.compile(r"^- +.*$", re.MULTILINE)
_VARIABLE = re.compile(r"- +`(\w+)` \(num_envs,([ \d,]*)\)[^:]*:.*")
_CONSTANT = re.compile(r"- +`(\w+)` = (-?\d[\d.e+-]*)(:.*)?")
_FORM = (
    "`- `name` (num_envs, 3) unit: meaning` for a state variable, `- `name` = 0.5: meaning` for a"
    " constant"
)


def choose_examples(config: SynthesisConfig, task: Task) -> tuple[Example, ...]:
    """Return the examples that a run shows, nearest first: never one of its own task, nor the
    task's human reward.

    Raises UsageError when there are not as many, and for a folder or a file that is none of
    examples.
    """
    if not config.examples:
        return ()
    known = {example.name: example for example in read_examples(_own_library())}
    if config.examples_dir is not None:
        known |= {example.name: example for example in read_examples(config.examples_dir)}
    instruction = config.instruction(task)
    own = {_words(words) for words in (instruction, task.name, task.description, *task.aliases)}
    others = [
        e for e in known.values() if _words(e.description) not in own and not _is_human(e, task)
    ]
    if len(others) < config.examples:
        raise UsageError(
            f"--examples {config.examples} asks for more than there are for other tasks"
            f" ({len(others)}): ask for at most so many, or add your own with --examples-dir."
        )
    state = " ".join(variable.name for variable in task.state_spec.variables)
    return nearest(others, f"{instruction} {state}", config.examples)


def nearest(library: Sequence[Example], words: str, count: int) -> tuple[Example, ...]:
    """Return the `count` examples whose wish and state names are most like `words`, nearest first,
    ties by name.

    Nearness is the cosine of what words are in them, each weighted by how few examples have it
    (idf). That a word is there twice counts nothing: long lists of state would drown the wish.
    """
    has = {
        example.name: _words(f"{example.description} {example.state_names}") for example in library
    }
    in_how_many = Counter(word for each in has.values() for word in each)
    weight = {
        word: 1.0 + math.log((1 + len(library)) / (1 + many)) for word, many in in_how_many.items()
    }
    likeness = {
        name: _cosine(_words(words) & weight.keys(), each, weight) for name, each in has.items()
    }
    return tuple(
        sorted(library, key=lambda example: (-likeness[example.name], example.name))[:count]
    )


def read_examples(folder: Path | Traversable) -> list[Example]:
    """Return the pairs in a folder's Markdown files, in the order of their names. Raises UsageError
    for a bad one."""
    files = (
        sorted((f for f in folder.iterdir() if f.name.endswith(".md")), key=lambda f: f.name)
        if folder.is_dir()
        else []
    )
    if not files:
        raise UsageError(
            f"{folder} is no folder with examples: give one that holds Markdown files"
            " (docs/prompts.md)."
        )
    return [_read(file) for file in files]


def example_text(description: str, spec: StateSpec, reward: RewardSource) -> str:
    """Return a reward that was found as the text of an example file, with what it reads of
    `spec`."""
    lines = [
        f"- `{variable.name}` {describe(variable)}"
        for variable in spec.tensors
        if {variable.name, f"prev_{variable.name}"} & set(reward.parameters)
    ]
    lines += [
        f"- `{name}` = {number(value)}"
        for name, value in spec.constants.items()
        if name in reward.parameters
    ]
    return "\n".join([f"# {description}", "", *lines, "", fenced(reward.code), ""])


# ---------------------------------------------------------------------- reading a file
def _read(file: Path | Traversable) -> Example:
    try:
        text = file.read_text(encoding="utf-8")
        title = _TITLE.search(text.partition("```")[0])
        if title is None:
            raise UsageError("its first line must be a title, `# what the robot should do`.")
        spec, state = read_state(text.partition("```")[0])
        code = extract(text)
        check_source(code, spec)
    except OSError as error:
        raise UsageError(f"Cannot read the example {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"Cannot read the example {file}: it is not UTF-8 text.") from error
    except (CandidateError, UsageError) as error:
        raise UsageError(f"{file} is no example: {error}") from error
    names = " ".join(variable.name for variable in spec.variables)
    return Example(file.name.removesuffix(".md"), title[1].strip(), state, names, code.strip())


def read_state(text: str) -> tuple[StateSpec, str]:
    """Return what the list in an example's head says, as the state of its task and as it is
    written.

    Raises UsageError for a line of it that says no state.
    """
    variables: list[StateVariable] = []
    constants: dict[str, float] = {}
    lines = [line.strip() for line in _LISTED.findall(text)]
    for line in lines:
        if known := _VARIABLE.fullmatch(line):
            shape = tuple(int(size) for size in known[2].replace(",", " ").split())
            variables.append(StateVariable(known[1], shape, "", "", ""))
        elif constant := _CONSTANT.fullmatch(line):
            constants[constant[1]] = float(constant[2])
        else:
            raise UsageError(f"{line!r} says no state: write {_FORM}.")
    if not variables:
        raise UsageError(f"it lists no state that its reward reads: write lines such as {_FORM}.")
    return StateSpec(tuple(variables), constants), "\n".join(lines)


def _own_library() -> Traversable:
    return resources.files("eureka_agent.prompts").joinpath("examples")


# ---------------------------------------------------------------------- words
def _words(text: str) -> frozenset[str]:
    return frozenset(telling_words(text))


def _cosine(a: Set[str], b: Set[str], weight: Mapping[str, float]) -> float:
    """Return the cosine between two sets of words; exact sums, since sets have no order."""
    shared, of_a, of_b = (math.fsum(weight[word] ** 2 for word in words) for words in (a & b, a, b))
    return shared / math.sqrt(of_a * of_b) if shared else 0.0


def _is_human(example: Example, task: Task) -> bool:
    return task.has_human_reward and _same(example.code, task.human_reward)


def _same(code: str, other: str) -> bool:
    """Whether two sources are the same program, whatever their comments and spaces."""
    return ast.dump(ast.parse(code)) == ast.dump(ast.parse(other))
