"""Answers in the style of models, written by us and varied at random, with the expected result.

They come in families. The same seed gives the same answers. Nothing was copied from a model's or a
person's answer.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator

from tests.support.reply_parts import PROSE, Dice, Make, around, fenced, reward
from tests.support.reply_parts import Reply as Reply


def _fence_of_some_kind(dice: Dice, code: str) -> str:
    info = dice.choice(
        [
            "python",
            "py",
            "Python",
            "python3",
            "",
            " python title='reward.py'",
            "{.python}",
            "PYTHON",
        ]
    )
    return around(dice, fenced(code, info, dice.choice(["```", "~~~", "````", "~~~~~"])))


def _drafts_first(dice: Dice, code: str) -> str:
    drafts = [fenced(reward(dice), dice.choice(["python", ""])) for _ in range(dice.randint(1, 3))]
    return "\n\nNo, better:\n\n".join([*drafts, fenced(code)])


def _use_after(dice: Dice, code: str) -> str:
    use = "r, parts = compute_reward(velocity, height)\nprint(r.mean())\n"
    return (
        around(dice, fenced(code))
        + "\nUse:\n\n"
        + fenced(use)
        + "\n\n"
        + fenced("pip install torch\n", "bash")
    )


def _signature_after(dice: Dice, code: str) -> str:
    return (
        around(dice, fenced(code))
        + "\nIts signature:\n\n"
        + fenced("def compute_reward(velocity, height): ...\n")
    )


def _in_parts(dice: Dice, code: str) -> str:
    """Put imports, helpers and the function into one block each; helpers may come last."""
    lines = code.split("\n")
    heads = [
        i
        for i, line in enumerate(lines)
        if line.startswith(("def ", "@")) and not lines[i - 1].startswith("@")
    ]
    parts = [
        "\n".join(lines[i:j]).strip("\n") + "\n"
        for i, j in zip([0, *heads], [*heads, len(lines)], strict=True)
    ]
    head, *functions = parts
    dice.shuffle(functions)
    return "\n\nThen:\n\n".join(fenced(part) for part in [head, *functions])


def _method(dice: Dice, code: str) -> str:
    head, function = code.split("def compute_reward(", 1)
    head = head.removesuffix("@torch.jit.script\n")
    name = dice.choice(
        ["Env(gym.Env)", "AntTask", 'Reward:\n    """A reward."""\n    scale = 2.0\n\n    #']
    )
    method = (
        f"def compute_reward(self, {function}"
        if not function.startswith("\n")
        else (f"def compute_reward(\n    self,{function}")
    )
    if dice.random() < 0.3:
        method = f"@staticmethod\ndef compute_reward({function}"
    indented = "".join(f"    {line}\n" if line else "\n" for line in method.split("\n"))
    return around(dice, fenced(f"{head}\nclass {name}:\n{indented}"))


def _renamed(dice: Dice, code: str) -> str:
    name = dice.choice(
        ["reward_fn", "ant_reward", "calculate_reward", "get_reward", "rewardFunction"]
    )
    return around(dice, fenced(code.replace("compute_reward", name)))


def _bare(dice: Dice, code: str) -> str:
    return around(dice, code)


def _bare_with_formula(dice: Dice, code: str) -> str:
    return f"The idea:\n\nscore = gain - cost\n\n{code}\nfinal = score * 2\nThat is it.\n"


def _unterminated(dice: Dice, code: str) -> str:
    return f"{PROSE[dice.choice([*PROSE])][0]}\n```python\n{code}{dice.choice(['', 'Done, I think.', '<|im_end|>'])}"


def _typed_otherwise(dice: Dice, code: str) -> str:
    text = around(dice, fenced(code))
    change: Callable[[str], str] = dice.choice([
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("\n", "\r"),
        lambda t: "\ufeff" + t,
        lambda t: t.replace("    ", "\t"),
        lambda t: t.replace("compute", "\u200bcompute").replace("    ", "\u200e    "),
        lambda t: t.replace("    ", "\u00a0\u00a0\u00a0\u00a0"),
        lambda t: t.replace("\n", " \t\n"),
    ])  # fmt: skip
    return change(text)


def _indented(dice: Dice, code: str) -> str:
    margin = dice.choice(["    ", "   ", "\t", "  "])
    inside = code if dice.random() < 0.5 else fenced(code)
    return "1. The reward:\n\n" + "".join(
        f"{margin}{line}\n" if line else "\n" for line in inside.split("\n")
    )


def _markdown_inside(dice: Dice, code: str) -> str:
    text = '    """\n    Use:\n    ```python\n    r, c = compute_reward(x)\n    ```\n    """\n'
    lines = code.split("\n")
    end = next(i for i, line in enumerate(lines) if "compute_reward" in line)
    end = next(
        i
        for i, line in enumerate(lines)
        if i >= end and line.endswith(":") and not line.startswith("    ")
    )
    return around(
        dice, fenced("\n".join([*lines[: end + 1], text.rstrip("\n"), *lines[end + 1 :]]))
    )


def _thinking(dice: Dice, code: str) -> str:
    tag = dice.choice(["think", "thinking", "reasoning", "scratchpad"])
    draft = (
        fenced(reward(dice))
        if dice.random() < 0.5
        else "compute_reward should pay for speed, hmm; def it is."
    )
    end = f"</{tag}>\n" if dice.random() < 0.7 else "\n"
    return f"<{tag}>\nOkay. {draft}\nWait, what about height?\n{end}{around(dice, fenced(code))}"


def _in_json(dice: Dice, code: str) -> str:
    inner = code if dice.random() < 0.6 else around(dice, fenced(code))
    value: object = {"thought": "speed", "code": inner, "confidence": 0.9}
    if dice.random() < 0.3:
        value = {"name": "submit", "arguments": json.dumps({"code": inner})}
    elif dice.random() < 0.3:
        value = {"files": [{"path": "reward.py", "lines": code.split("\n")}]}
    text = json.dumps(value, indent=dice.choice([None, 2]), ensure_ascii=dice.random() < 0.5)
    return dice.choice(
        [
            text,
            fenced(f"{text}\n", "json"),
            f"<tool_call>\n{text}\n</tool_call>",
            f"Sure:\n{text}\nBye.",
        ]
    )


def _notebook(dice: Dice, code: str) -> str:
    lines = [f"{line}\n" for line in code.split("\n")]
    cells = [
        {"cell_type": "markdown", "source": ["# Reward\n", PROSE["Chinese"][0]]},
        {"cell_type": "code", "source": lines, "outputs": [], "execution_count": 1},
        {"cell_type": "code", "source": ["compute_reward(v, h)"], "outputs": []},
    ]
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4}, indent=1
    )


def _diff(dice: Dice, code: str) -> str:
    added = code.split("\n")[:-1]
    old = ["def compute_reward(velocity):", "    return velocity[:, 0], {}"]
    body = [
        "--- a/reward.py",
        "+++ b/reward.py",
        "@@ -1,2 +1,9 @@",
        *(f"-{x}" for x in old),
        *(f"+{x}" for x in added),
    ]
    return around(dice, fenced("\n".join(body) + "\n", dice.choice(["diff", "", "patch"])))


def _page(dice: Dice, code: str) -> str:
    inner = html.escape(code)
    return dice.choice([
        f"<p>Here:</p>\n<pre><code class=\"language-python\">{inner}</code></pre>\n<p>Good luck</p>",
        fenced(inner),
        f"<html><body><pre>\n{inner}</pre></body></html>",
    ])  # fmt: skip


def _word_processor(dice: Dice, code: str) -> str:
    text, open_quote = "", True
    for letter in code:
        text += ("“" if open_quote else "”") if letter == '"' else letter
        open_quote ^= letter == '"'
    return around(dice, fenced(text.replace("'", "’").replace(" -", " −")))


def _full_width(dice: Dice, code: str) -> str:
    return f"{PROSE['Chinese'][0]}\n" + fenced(code.translate(str.maketrans("(),:=", "（），：＝")))


def _with_prompts(dice: Dice, code: str) -> str:
    lines = code.split("\n")[:-1]
    if dice.random() < 0.5:
        return "\n".join(f"> {line}" if line else ">" for line in [*PROSE["French"], "", *lines])
    if dice.random() < 0.5:
        return "\n".join(f"{n}: {line}" for n, line in enumerate(lines, 1))
    inside = [
        f"... {line}" if line.startswith((" ", ")")) else f">>> {line}" for line in lines if line
    ]
    return fenced("\n".join(inside) + "\n", "pycon")


def _escaped(dice: Dice, code: str) -> str:
    line = code.replace('"', '\\"').replace("\n", "\\n")
    return dice.choice([f'"{line}"', f"Answer: {fenced(line)}", line])


def _with_demonstration(dice: Dice, code: str) -> str:
    show = dice.choice([
        'if __name__ == "__main__":\n    print("test")\n',
        "velocity_test = torch.rand(4, 3)\nprint(velocity_test)\nassert velocity_test.shape[0] == 4\n",
        "for _ in range(3):\n    print('ok')\n",
    ])  # fmt: skip
    return around(dice, fenced(f"{code}\n\n{show}"))


def _long_talk(dice: Dice, code: str) -> str:
    before, after = PROSE[dice.choice([*PROSE])]
    n = 1_000_000 // (2 * len(before) + 2)
    return f"{before}\n" * n + fenced(code) + "\n" + f"{after}\n" * n


def _other_wrappings(dice: Dice, code: str) -> str:
    return dice.choice([
        f"\\begin{{lstlisting}}[language=Python]\n{code}\\end{{lstlisting}}",
        f"[code]\n{code}[/code]",
        f"# Reward\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{fenced(code)}\n\n* speed = fast\n",
        f"**reward.py**\n{fenced(code)}\n**test.py**\n{fenced('import pytest')}\n",
        f"%%writefile reward.py\n{code}",
        f"#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n{code}",
    ])  # fmt: skip


GOOD: dict[str, tuple[Make, int]] = {
    "fences": (_fence_of_some_kind, 30),
    "drafts first": (_drafts_first, 15),
    "its use after it": (_use_after, 12),
    "its signature after it": (_signature_after, 8),
    "a block for each part": (_in_parts, 20),
    "methods": (_method, 24),
    "another name": (_renamed, 12),
    "no fence": (_bare, 24),
    "no fence, with formulas": (_bare_with_formula, 8),
    "a fence without an end": (_unterminated, 15),
    "line ends, tabs, marks": (_typed_otherwise, 28),
    "indented": (_indented, 16),
    "markdown in a docstring": (_markdown_inside, 10),
    "thoughts": (_thinking, 20),
    "JSON": (_in_json, 40),
    "notebooks": (_notebook, 6),
    "diffs": (_diff, 15),
    "pages": (_page, 15),
    "a word processor's quotes": (_word_processor, 12),
    "full width": (_full_width, 8),
    "prompts and quotes": (_with_prompts, 20),
    "one line, escaped": (_escaped, 12),
    "with a demonstration": (_with_demonstration, 12),
    "a megabyte of talk": (_long_talk, 4),
    "other wrappings": (_other_wrappings, 24),
}


def good_replies(seed: int = 0) -> Iterator[Reply]:
    """Yield answers whose reward must be found, pass the checks, and compute the right values."""
    for family, (make, count) in GOOD.items():
        for k in range(count):
            dice = Dice(f"{seed} {family} {k}")
            code = reward(dice)
            yield Reply(family, make(dice, code), "reward", meant=code)
