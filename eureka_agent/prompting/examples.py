"""Example pairs (instruction, reward); a prompt shows those nearest to its own instruction.

Text2Reward (Xie et al. 2024, section 3) retrieves few-shot examples in this way. A pair is a
Markdown file: the instruction as its title, a list of the state that the reward reads, the reward.
Those of `prompts/examples/` were written by hand for made-up tasks, and nobody has trained a policy
with them.
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
from eureka_agent.prompting.prompt import describe, fenced
from eureka_agent.records import Example, RewardSource
from eureka_agent.tasks.registry import telling_words
from eureka_agent.tasks.task import StateSpec, StateVariable, Task
from eureka_agent.text import number_in_prompt

_TITLE = re.compile(r"^# +(\S.*)$", re.MULTILINE)
_LISTED = re.compile(r"^- +.*$", re.MULTILINE)
_VARIABLE = re.compile(r"- +`(\w+)` \(num_envs,([ \d,]*)\)[^:]*:.*")
_CONSTANT = re.compile(r"- +`(\w+)` = (-?\d[\d.e+-]*)(:.*)?")
_FORM = (
    "`- `name` (num_envs, 3) unit: meaning` for a state variable, `- `name` = 0.5: meaning` for a"
    " constant"
)


def choose_examples(config: SynthesisConfig, task: Task) -> tuple[Example, ...]:
    """Return the examples that a run shows, nearest to its instruction first.

    Examples of the task itself and the task's human reward are never shown.

    Args:
        config: the run's settings; `examples` is their number, `examples_dir` adds a folder.
        task: the task of the run.

    Returns:
        `config.models.examples` examples; ties in nearness are broken by name.

    Raises:
        UsageError: if there are not enough examples, or a folder or file cannot be read as
            examples.
    """
    if not config.models.examples:
        return ()
    known = {example.name: example for example in read_examples(_own_library())}
    if config.models.examples_dir is not None:
        known |= {example.name: example for example in read_examples(config.models.examples_dir)}
    instruction = config.task.instruction(task)
    own = {_words(text) for text in (instruction, task.name, task.description, *task.aliases)}
    others = [
        e for e in known.values() if _words(e.description) not in own and not _is_human(e, task)
    ]
    if len(others) < config.models.examples:
        raise UsageError(
            f"--examples {config.models.examples} exceeds the number of examples for other tasks"
            f" ({len(others)}): lower it, or add your own examples with --examples-dir."
        )
    state = " ".join(variable.name for variable in task.state_spec.variables)
    return most_similar(others, f"{instruction} {state}", config.models.examples)


def most_similar(library: Sequence[Example], words: str, count: int) -> tuple[Example, ...]:
    """Return the `count` examples most similar in instruction and state names to `words`.

    The most similar comes first; ties are broken by name. Similarity is the cosine between the sets
    of words, weighted by rarity (idf). Repetition does not count: long lists of state would
    otherwise outweigh the instruction.
    """
    has = {
        example.name: _words(f"{example.description} {example.state_names}") for example in library
    }
    frequency = Counter(word for each in has.values() for word in each)
    weight = {
        word: 1.0 + math.log((1 + len(library)) / (1 + count)) for word, count in frequency.items()
    }
    similarity = {
        name: _cosine(_words(words) & weight.keys(), each, weight) for name, each in has.items()
    }
    return tuple(
        sorted(library, key=lambda example: (-similarity[example.name], example.name))[:count]
    )


def read_examples(folder: Path | Traversable) -> list[Example]:
    """Return the pairs in a folder's Markdown files, in the order of their names.

    Raises UsageError for a folder without Markdown files and for a file that is not an example.
    """
    files = (
        sorted((f for f in folder.iterdir() if f.name.endswith(".md")), key=lambda f: f.name)
        if folder.is_dir()
        else []
    )
    if not files:
        raise UsageError(
            f"{folder} holds no examples: give a folder with Markdown files (docs/prompts.md)."
        )
    return [_read(file) for file in files]


def example_text(description: str, spec: StateSpec, reward: RewardSource) -> str:
    """Return the text of an example file for a reward, with the state of `spec` that it reads."""
    lines = [
        f"- `{variable.name}` {describe(variable)}"
        for variable in spec.tensors
        if {variable.name, f"prev_{variable.name}"} & set(reward.parameters)
    ]
    lines += [
        f"- `{name}` = {number_in_prompt(value)}"
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
        raise UsageError(f"{file} is not an example: {error}") from error
    names = " ".join(variable.name for variable in spec.variables)
    return Example(file.name.removesuffix(".md"), title[1].strip(), state, names, code.strip())


def read_state(text: str) -> tuple[StateSpec, str]:
    """Return the state that an example's head lists, parsed and as it is written.

    Raises UsageError for a line of the list that does not describe state.
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
            raise UsageError(f"{line!r} does not describe state: write {_FORM}.")
    if not variables:
        raise UsageError(f"it lists no state for its reward: write lines such as {_FORM}.")
    return StateSpec(tuple(variables), constants), "\n".join(lines)


def _own_library() -> Traversable:
    return resources.files("eureka_agent.prompts").joinpath("examples")


# ---------------------------------------------------------------------- words
def _words(text: str) -> frozenset[str]:
    return frozenset(telling_words(text))


def _cosine(a: Set[str], b: Set[str], weight: Mapping[str, float]) -> float:
    """Return the cosine between two sets of words. Sums are exact, because sets have no order."""

    def size(words: Set[str]) -> float:
        return math.fsum(weight[word] ** 2 for word in words)

    shared = size(a & b)
    return shared / math.sqrt(size(a) * size(b)) if shared else 0.0


def _is_human(example: Example, task: Task) -> bool:
    return task.has_human_source and _same(example.code, task.human_reward)


def _same(code: str, other: str) -> bool:
    """Whether two sources are the same program apart from comments and spaces."""
    return ast.dump(ast.parse(code)) == ast.dump(ast.parse(other))
