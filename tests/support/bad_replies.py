"""Answers without a usable reward, written by us and varied at random, with the expected error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.reply_parts import PROSE, Dice, Expected, Reply, around, fenced, reward

Make = Callable[[Dice], str]

_CPP = """```cpp
std::pair<float, float> compute_reward(const State& s) {
    return {s.velocity.x - 0.1f * s.cost, 0.0f};
}
```"""
_MATLAB = "```matlab\nfunction r = compute_reward(v)\n    r = v(1) * 2;\nend\n```"
_JAVASCRIPT = "```js\nconst computeReward = (s) => { return s.v * 2; };\n```"
_UNITS: tuple[str, ...] = (
    "x",
    "`",
    "```\n",
    "```python\n",
    "~~~\n",
    " ",
    "x = 1\n",
    "import a\n",
    "\t\n",
    '"""\n',
    "((((",
    "1+",
    "&lt;",
)
_UNITS += (
    "def f(x):\n",
    "+def f(x):\n",
    '{"a": "def f',
    "> def f(x):\n",
    "[",
    "```\ndef f(x):\n    y\n",
    "\\ndef f",
)


def _prose(dice: Dice) -> str:
    return "\n".join(dice.choice(PROSE[dice.choice([*PROSE])]) for _ in range(dice.randint(1, 9)))


def _nothing(dice: Dice) -> str:
    return dice.choice(["", " ", "\n\n", "\t\r\n", "\ufeff", "\u200b\n", "\u3000", "\x0c"])


def _no_function(dice: Dice) -> str:
    return around(dice, dice.choice([
        fenced("reward = speed - 0.1 * cost\n"), fenced("speed * 2\n", ""), "$r = v - c$", "r = v - 0.1 * c",
        fenced("compute_reward = lambda velocity: (velocity, {})\n"), fenced('{"reward": "speed"}\n', "json"),
        fenced("reward:\n  - speed\n  - height\n", "yaml"), fenced("import torch\n"),
    ]))  # fmt: skip


def _another_language(dice: Dice) -> str:
    return around(dice, dice.choice([_CPP, _MATLAB, _JAVASCRIPT]))


def _cut_off(dice: Dice) -> str:
    """Cut inside the function's last line, where a bracket is open."""
    code = (
        "def compute_reward(velocity):\n    speed = velocity[:, 0]\n    return speed, {'speed':"
        " (speed"
    )
    return f"```python\n{code[: dice.randint(len(code) - 15, len(code))]}"


def _broken(dice: Dice) -> str:
    return around(dice, fenced(dice.choice([
        "def compute_reward(velocity):\nreturn velocity[:, 0], {}\n",
        "def compute_reward(velocity)\n    return velocity[:, 0], {}\n",
        "def compute_reward(velocity):\n    retrun velocity[:, 0], {}\n",
        "def compute_reward(velocity):\n    x = velocity[:, 0\n    return x, {}\n",
        "def compute_reward(velocity):\n    x = 1\n      y = 2\n    return x, {}\n",
        "def compute_reward(velocity):\n    if velocity = 1:\n        return velocity, {}\n",
        "def compute_reward(velocity):\n    ...  # TODO\n    return <your reward here>\n",
        "def compute_reward(velocity, velocity:\n    pass\n",
    ])))  # fmt: skip


def _binary_in_code(dice: Dice) -> str:
    code = reward(dice)
    place = code.index("return ")
    return fenced(
        code[:place] + dice.choice(["\0", "\ud800", "\0\0\x01", "\x1b[31m", "\x07"]) + code[place:]
    )


def _noise(dice: Dice) -> str:
    data = dice.randbytes(dice.randint(1, 5000))
    return dice.choice(
        [data.decode("latin-1"), data.decode("utf-8", "replace"), data.decode("utf-16", "replace")]
    )


def _pieces(dice: Dice) -> str:
    pieces = [
        "```",
        "~~~",
        "```python\n",
        "def f(x):\n",
        "  return x\n",
        "\0",
        "\r",
        "\ud800",
        "é",
        "((",
        '"""',
        "{",
        '"',
    ]
    pieces += [
        "class A:\n",
        "\n",
        " ",
        "\t",
        "self",
        "&lt;",
        "+",
        "> ",
        "\\n",
        "}",
        "“",
        "<think>",
        "@x\n",
        "lambda",
    ]
    return "".join(dice.choice(pieces) for _ in range(400))


def _deep(dice: Dice) -> str:
    n = dice.choice([250, 1_000, 40_000])
    inside = dice.choice(["(" * n + "1" + ")" * n, "-" * 90_000 + "1"])
    return fenced(f"def compute_reward(velocity):\n    return {inside[:95_000]}\n")


def _long_line(dice: Dice) -> str:
    return fenced(
        "def compute_reward(velocity):\n    return velocity"
        + dice.choice(["+1", "*1.0", ".x", "[0]"]) * 60_000
    )


def _deep_json(dice: Dice) -> str:
    n = dice.choice([500, 5_000, 300_000])
    return dice.choice(
        [
            "[" * n + '"def x"' + "]" * n,
            '{"a":' * n + '"def x"' + "}" * n,
            '{"code": "def x' + "\\" * n,
        ]
    )


def _object(dice: Dice) -> str:
    what = dice.choice(
        ["self.bell(velocity)", "self.env.scaled() * velocity[:, 0]", "self._bell(velocity)"]
    )
    return around(
        dice,
        fenced(
            f"class Env:\n    def compute_reward(self, velocity):\n        return {what}, {{}}\n"
        ),
    )


def _two_candidates(dice: Dice) -> str:
    return fenced("def first(x):\n    return x, {}\n\ndef second(x):\n    return x, {}\n")


def _nested(dice: Dice) -> str:
    return fenced(
        "def make():\n    def compute_reward(velocity):\n        return velocity[:, 0], {}\n   "
        " return compute_reward\n"
    )


def _function(dice: Dice, body: str, parameters: str = "velocity, height") -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return around(dice, fenced(f"import torch\n\ndef compute_reward({parameters}):\n{lines}"))


def _unknown_state(dice: Dice) -> str:
    name = dice.choice(
        ["velocty", "heigth", "root_states", "obs", "скорость", "ѕtate", "反应", "height_"]
    )
    return _function(dice, f"return {name}, {{}}", name)


def _refused_import(dice: Dice) -> str:
    line = dice.choice(
        [
            "import os",
            "import numpy.random",
            "from math import *",
            "from . import x",
            "import subprocess as t",
        ]
    )
    used = line.split()[-1].replace("*", "floor").replace("numpy.random", "numpy")
    return around(
        dice, fenced(f"{line}\n\ndef compute_reward(height):\n    return {used}(height), {{}}\n")
    )


def _refused_syntax(dice: Dice) -> str:
    return _function(dice, dice.choice([
        "while True:\n    pass\nreturn height, {}", "try:\n    pass\nexcept Exception:\n    pass\nreturn height, {}",
        "class A:\n    pass\nreturn height, {}", "global x\nreturn height, {}", "print(height)\nreturn height, {}",
        "return eval('height'), {}", "return height.__class__, {}", "return torch.rand(3), {}",
        "return torch.load('x'), {}", "del height\nreturn velocity, {}", "yield height, {}",
        "return (x := height), {}", "match height:\n    case _:\n        return height, {}\nreturn height, {}",
    ]))  # fmt: skip


def _refused_result(dice: Dice) -> str:
    return _function(dice, dice.choice([
        "pass", "return {'r': height}", "return None", "return height, {}, 1", "return 1.0", "x = height", "return",
        "return [height]", "return {}, height, 1",
    ]))  # fmt: skip


def _large(dice: Dice) -> str:
    return _function(
        dice,
        "\n".join("height_new = height + 1.0" for _ in range(3_000)) + "\nreturn height_new, {}",
    )


def _deep_but_python(dice: Dice) -> str:
    n = dice.randint(100, 150)
    nested = "abs(" * n + "height" + ")" * n
    return _function(
        dice,
        dice.choice(
            [f"x = {nested}\nreturn x, {{}}", "x = height" + " + 1" * 900 + "\nreturn x, {}"]
        ),
    )


BAD: dict[str, tuple[Make, Expected, str, int]] = {
    "prose": (_prose, "extract", "holds no Python function", 12),
    "nothing": (_nothing, "extract", "The answer is empty", 8),
    "no function": (_no_function, "extract", "holds no Python function", 16),
    "another language": (_another_language, "extract", "holds no Python function", 6),
    "cut off": (_cut_off, "extract", "not valid Python", 6),
    "broken": (_broken, "extract", "not valid Python", 16),
    "binary in code": (_binary_in_code, "extract", "", 10),
    "noise": (_noise, "extract", "holds no Python function", 15),
    "pieces": (_pieces, "extract", "", 25),
    "deep": (_deep, "extract", "", 15),
    "a long line": (_long_line, "extract", "longer than 100000 characters", 4),
    "deep JSON": (_deep_json, "extract", "", 8),
    "a method that needs its object": (_object, "extract", "but it is a plain function", 6),
    "two candidates": (_two_candidates, "extract", "no function compute_reward", 1),
    "nested": (_nested, "extract", "defines make but no function compute_reward", 1),
    "unknown state": (_unknown_state, "check", "which this task does not have", 8),
    "an import": (_refused_import, "check", "is not allowed", 6),
    "syntax": (_refused_syntax, "check", "", 24),
    "result": (_refused_result, "check", "", 14),
    "large": (_large, "check", "", 2),
    "deep but Python": (_deep_but_python, "check", "too large or too deeply nested", 6),
}


def bad_replies(seed: int = 0) -> Iterator[Reply]:
    """Yield answers that must lead to an error of one sentence."""
    for family, (make, expected, says, count) in BAD.items():
        for k in range(count):
            dice = Dice(f"{seed} {family} {k}")
            yield Reply(family, make(dice), expected, says=says)
    for unit in _UNITS:
        yield Reply("a megabyte", unit * (1_000_000 // len(unit)), "extract")
