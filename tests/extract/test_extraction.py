from __future__ import annotations

import contextlib
import random
import time

import pytest

from eureka_agent.errors import ExtractionError
from eureka_agent.extract import extract

PLAIN = """\
import torch
from torch import Tensor


def compute_reward(speed: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    # run
    return speed, {"speed": speed}
"""
HELPER = """\
import torch

SCALE = 2.0

def _bell(x, temperature):
    return torch.exp(-x / temperature)

def compute_reward(speed):
    return _bell(speed, SCALE), {"speed": speed}

def _after(x):
    return x
"""


def run(source: str, speed: float = 3.0) -> tuple[float, dict[str, float]]:
    """Return the extracted function's result; only for these tests' own sources."""
    namespace: dict[str, object] = {}
    exec(compile(source, "reward", "exec"), namespace)
    reward = namespace["compute_reward"]
    assert callable(reward)
    result: tuple[float, dict[str, float]] = reward(speed)
    return result


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        f"```python\n{PLAIN}```",
        f"```\n{PLAIN}```",
        f"```py\n{PLAIN}\n```\n",
        f"``` python title='reward.py'\n{PLAIN}```",
        f"~~~python\n{PLAIN}~~~",
        f"````markdown\n```python\n{PLAIN}```\n````",
        f"Sure! ```python\n{PLAIN}```",
        f"```python\n{PLAIN.rstrip()}```",
        f"```python\n{PLAIN}",
        f"```python\n{PLAIN}\nThis reward makes it run (speed = reward).",
        f"Here it is:\n\n```python\n{PLAIN}```\n\nIt rewards speed. Note: untested.",
        f"Here it is:\n\n{PLAIN}\nIt rewards speed, with scale = one.",
        "1. The reward:\n"
        + "".join(f"   {line}\n" for line in f"```python\n{PLAIN}```".split("\n")),
        "".join(f"    {line}\n" for line in PLAIN.split("\n")),
        f"```python\r\n{PLAIN}```".replace("\n", "\r\n"),
        (
            f"```python\n{PLAIN}```\n\nUse it so:\n\n```python\nreward, parts ="
            " compute_reward(speed)\n```"
        ),
        f"```\nspeed * 2 - cost\n```\n\nAs code:\n\n```\n{PLAIN}```",
        f"```\nr = v - c + (\n```\n\n```\n{PLAIN}```",
        f"```python\ndef helper(x):\n    return x, {{}}\n```\n\n```python\n{PLAIN}```",
        (
            "```python\ndef compute_reward(x):\n    return -x,"
            f" {{}}\n```\n\nBetter:\n\n```python\n{PLAIN}```"
        ),
        (
            "<think>\n```python\ndef compute_reward(x): return x,"
            f" {{}}\n```\n</think>\n```python\n{PLAIN}```"
        ),
        f"```python\ndef compute_reward(x:\n```\nOops, once more.\n```python\n{PLAIN}```",
    ],
)
def test_finds_the_function_as_written(reply: str) -> None:
    source = extract(reply)
    assert "    # run\n" in source  # not rewritten: the comment is still there
    assert source.count("compute_reward") == 1
    assert run(source) == (3.0, {"speed": 3.0})


def test_keeps_imports_helpers_and_constants_around_it() -> None:
    needed = HELPER[: HELPER.index("\ndef _after")]
    assert extract(f"```python\n{HELPER}```") == needed
    assert extract(f"```python\n{needed}```") == needed
    assert extract(f"I think this works.\n\n{HELPER}\nGood luck!").count("def ") == 2


def test_fences_inside_a_docstring_do_not_end_the_code() -> None:
    code = (
        'def compute_reward(speed):\n    """\n    ```\n    r = v\n    ```\n    """\n    return'
        " speed, {}\n"
    )
    assert extract(f"Text\n```python\n{code}```\nMore `text`.") == code


def test_tabs_and_mixed_indentation() -> None:
    assert run(extract("```python\ndef compute_reward(speed):\n\treturn speed, {}\n```")) == (
        3.0,
        {},
    )
    mixed = "```python\ndef compute_reward(speed):\n    x = speed\n\treturn x, {}\n```"
    assert run(extract(mixed)) == (3.0, {})


def test_a_signature_over_several_lines_in_prose() -> None:
    reply = "It is:\ndef compute_reward(\n    speed,\n) -> tuple:\n    return speed, {}\nDone."
    assert run(extract(reply)) == (3.0, {})


def test_a_method_loses_self_and_its_class() -> None:
    method = "def compute_reward(self, speed):\n    return 2 * speed, {}\n"
    assert run(extract(f"```python\n{method}```")) == (6.0, {})
    wrapped = (
        "import torch\n\nclass Ant(Base):\n    def compute_reward(self, speed):\n        return"
        " speed, {}\n"
    )
    source = extract(f"```python\n{wrapped}```")
    assert run(source) == (3.0, {})
    assert source.startswith("import torch")
    assert "class" not in source
    static = (
        "class Ant:\n    @staticmethod\n    def compute_reward(speed):\n        return speed, {}\n"
    )
    assert run(extract(static)) == (3.0, {})


def test_attributes_that_a_method_reads_become_parameters() -> None:
    code = (
        "def compute_reward(self, speed):\n    return self.gain * speed + self.env.gain +"
        " self.bias, {}\n"
    )
    namespace: dict[str, object] = {}
    exec(extract(f"```python\n{code}```"), namespace)
    reward = namespace["compute_reward"]
    assert callable(reward)
    assert reward(gain=2.0, bias=1.0, speed=3.0) == (9.0, {})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "return self.bell(speed) + self.env.scaled(), {}",
            r"calls self\.bell, self\.scaled, but it is a plain function",
        ),
        ("self.last = speed\n    return speed, {}", r"sets self\.last, but it is a plain function"),
    ],
)
def test_a_method_that_calls_or_sets_attributes_is_refused(body: str, says: str) -> None:
    with pytest.raises(ExtractionError, match=says):
        extract(f"```python\ndef compute_reward(self, speed):\n    {body}\n```")


def test_the_only_function_that_returns_a_pair_is_renamed() -> None:
    code = (
        "def _norm(x):\n    return x\n\ndef ant_reward(speed, scale=1.0):\n    return _norm(speed),"
        " {}\n"
    )
    assert run(extract(f"```python\n{code}```")) == (3.0, {})
    two = "def pair(x):\n    return x, x\n\ndef my_reward(speed):\n    return pair(speed)[0], {}\n"
    assert run(extract(two)) == (3.0, {})


@pytest.mark.parametrize(
    "name", ["compute_reward_v3", "compute_rewards", "my_compute_reward", "_get_rewards_eureka"]
)
def test_a_name_that_contains_reward_is_renamed(name: str) -> None:
    code = (
        f"def part_reward(x):\n    return x, {{}}\n\ndef {name}(speed):\n    return"
        " part_reward(speed)\n"
    )
    assert run(extract(f"```python\n{code}```")) == (3.0, {})


def test_the_only_reward_that_returns_a_tensor_is_renamed() -> None:
    code = "def half(x):\n    return x / 2\n\ndef my_reward(speed):\n    return half(speed)\n"
    assert run(extract(code)) == 1.5  # type: ignore[comparison-overlap]  # the sandbox makes it a pair


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("", "The answer is empty"),
        (" \r\n\t", "The answer is empty"),
        ("I cannot help with that.", "holds no Python function"),
        ("```python\nx = 1\n```", "holds no Python function"),
        (
            (
                "```python\nclass Terms:\n    def speed(self, x): return x\n    def total(self, x):"
                " return x, {}\n```"
            ),
            (
                "The class Terms has the methods speed, total and there is no function"
                " compute_reward: answer with one"
            ),
        ),
        (
            "```python\ndef f(x):\n    return x\n\ndef g(x):\n    return x\n```",
            "defines f, g but no function",
        ),
        (
            "```python\ndef a(x):\n    return x, {}\n\ndef b(x):\n    return x, {}\n```",
            "defines a, b but no function",
        ),
        ("```python\ndef compute_reward(x):\n    y = (x +\n```", r"line 2: '\(' was never closed"),
        (
            "```python\ndef compute_reward(x):\n    return x x\n```\nGood?",
            r"line 2: invalid syntax",
        ),
        ("def compute_reward(x):\n    return x x\n", r"line 2: invalid syntax"),
        (
            "```python\ndef _n(x):\n    return x, {}\n\ndef compute_reward(x:\n    return x\n```",
            "not valid Python",
        ),
        ("```python\ndef compute_reward(x):\n    return '\0', {}\n```", "binary data|null bytes"),
        (
            "```python\ndef compute_reward(x):\n    return " + "(" * 500 + ")" * 500 + "\n```",
            "not valid|cannot be",
        ),
        (
            "```python\ndef compute_reward(x):\n    return " + "-" * 50_000 + "x\n```",
            "not valid|cannot be",
        ),
        (
            "```python\ndef compute_reward(x):\n" + "    x = x + 1\n" * 10_000 + "```",
            "longer than 100000 characters",
        ),
    ],
)
def test_an_answer_without_a_reward_gets_one_sentence(reply: str, message: str) -> None:
    with pytest.raises(ExtractionError, match=message) as caught:
        extract(reply)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def _noise(seed: int) -> str:
    pieces = [
        "```",
        "~~~",
        "```python\n",
        "def f(x):\n",
        "  return x, {}\n",
        "\0",
        "\r",
        "\ud800",
        "é",
        "((",
        '"""',
        "class A:\n",
    ]
    dice = random.Random(seed)
    return "".join(
        dice.choice([*pieces, "\n", " ", "\t", "def compute_reward(a):\n", "self"])
        for _ in range(300)
    )


def test_never_crashes_on_noise() -> None:
    for seed in range(60):
        with contextlib.suppress(ExtractionError):
            assert "compute_reward" in extract(_noise(seed))


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "`",
        "```\n",
        "```python\n",
        "~~~\n",
        " ",
        "def f(x):\n",
        "x = 1\n",
        "import a\n",
        "\t\n",
        '"""\n',
        "((((",
        "1+",
    ],
)
def test_a_megabyte_takes_bounded_time(unit: str) -> None:
    reply = unit * (1_000_000 // len(unit))
    started = time.process_time()
    with pytest.raises(ExtractionError):
        extract(reply)
    assert time.process_time() - started < 2.0


def test_finds_the_code_at_the_end_of_a_megabyte_of_prose() -> None:
    assert extract("Let me think about speed.\n" * 40_000 + f"```python\n{PLAIN}```") == PLAIN
