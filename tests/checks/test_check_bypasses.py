"""Ways around the static checks: annotations, encodings, uninitialised memory, odd imports."""

from __future__ import annotations

import pytest

from eureka_agent.checks import check_source, compile_checked
from eureka_agent.errors import CheckError
from tests.support.sandboxed import SPEC, refusal

ANNOTATIONS = (
    "__import__('os').system('true')", "print('x')", "[print('x')]", "Dict[print('x'), int]", "torch.__loader__",
    "\"__import__('os').system('true')\"", "'Dict[str, \"exec(1)\"]'", "(x := print('x'))", "lambda: 1", "print",
)  # fmt: skip


@pytest.mark.parametrize("annotation", ANNOTATIONS[:-1])
@pytest.mark.parametrize(
    "form",
    [
        "def compute_reward(height: {}): return height, {{}}",
        "def compute_reward(height) -> {}: return height, {{}}",
        "def compute_reward(height):\n    x: {} = 1\n    return height, {{}}",
        "x: {} = 1\ndef compute_reward(height): return height, {{}}",
        "def f(*, a: {} = 1): return a\ndef compute_reward(height): return height, {{}}",
    ],
)
def test_annotations_that_are_not_types_are_refused_by_both_checks(
    form: str, annotation: str
) -> None:
    code = "import torch\nfrom typing import Dict\n" + form.format(annotation)
    assert "an annotation must be a type" in refusal(code)
    with pytest.raises(CheckError, match="an annotation must be a type"):
        compile_checked(code)


@pytest.mark.parametrize(
    "annotation",
    [
        ANNOTATIONS[-1],
        "Dict[str, torch.Tensor]",
        "Tensor | None",
        "'Tuple[Tensor, Dict[str, Tensor]]'",
        "tuple[int, ...]",
    ],
)
def test_annotations_that_are_types_pass(annotation: str) -> None:
    check_source(
        f"import torch\ndef compute_reward(height: {annotation}): return height, {{}}", SPEC
    )


@pytest.mark.parametrize(
    "coding", ["utf-7", "latin-1", "utf_16", "cp1252", "raw_unicode_escape", "no-such-thing"]
)
@pytest.mark.parametrize(
    "line", ["# -*- coding: {} -*-", "# a reward\n# vim: set fileencoding={} :", "\t#coding={}"]
)
def test_another_encoding_is_refused(line: str, coding: str) -> None:
    code = line.format(coding) + "\ndef compute_reward(height): return height, {}"
    with pytest.raises(CheckError, match=f"The code names the encoding {coding}: save it as UTF-8"):
        check_source(code, SPEC)
    with pytest.raises(CheckError, match="names the encoding"):
        compile_checked(code)
    check_source(line.format("UTF_8") + "\ndef compute_reward(height): return height, {}", SPEC)


UNINITIALISED = (
    "torch.Tensor(99)", "torch.Tensor(3, 3)", "torch.Tensor()", "torch.Tensor(len(height))", "Tensor(99)",
    "(lambda T: T(9))(torch.Tensor)", "[torch.Tensor][0](9)", "isinstance(height, torch.Tensor(9))",
    "th.Tensor(9)", "torch.Tensor((9,))",
    "torch.empty(9)", "torch.empty_like(height)", "height.new_empty(9)", "torch.Tensor.new_empty(height, 9)",
    "torch.Tensor([1.0], device='cpu')", "torch.Tensor.new(height, 9)",
)  # fmt: skip


@pytest.mark.parametrize("expression", UNINITIALISED)
def test_uninitialised_memory_is_refused(expression: str) -> None:
    head = "import torch\nimport torch as th\nfrom torch import Tensor\n"
    code = head + f"def compute_reward(height):\n    T = {expression}\n    return height, {{}}"
    assert "torch.Tensor is for annotations" in refusal(code) or "uninitialised memory" in refusal(
        code
    )
    with pytest.raises(CheckError):
        compile_checked(code)


@pytest.mark.parametrize(
    "line",
    [
        "T = torch.Tensor",
        "def isinstance(x, T): return T(9)\n    y = isinstance(height, torch.Tensor)",
        "import torch.Tensor as T",
        "from torch import Tensor as zeros\n    y = zeros(9)",
    ],
)
def test_the_tensor_class_is_not_a_value(line: str) -> None:
    refusal(f"import torch\ndef compute_reward(height):\n    {line}\n    return height, {{}}")


@pytest.mark.parametrize(
    "line",
    [
        "import torch as __builtins__",
        "from torch import exp as __import__",
        "from typing import Dict as __builtins__",
        "import typing as __name__",
    ],
)
def test_imports_may_not_bind_dunder_names(line: str) -> None:
    assert "is not allowed for an import" in refusal(
        f"{line}\ndef compute_reward(height): return height, {{}}"
    )


def test_a_type_may_not_take_another_imports_name() -> None:
    code = (
        "import torch\nfrom typing import Dict as torch\ndef compute_reward(height): return"
        " torch.exp(height), {}"
    )
    assert "'torch' is imported twice, as torch and as typing.Dict" in refusal(code)


@pytest.mark.parametrize(
    "place", ["@torch.no_grad({})\ndef f(): return 1", "def f(): return {}", "X = {}"]
)
def test_integers_of_any_length_give_a_check_error(place: str) -> None:
    code = (
        "import torch\n"
        + place.format(f"0x{'f' * 9_000}")
        + "\ndef compute_reward(height): return height, {}"
    )
    assert len(refusal(code)) < 400


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066"])
def test_a_control_character_is_refused_with_its_line(character: str) -> None:
    code = (
        f"import torch\n\n\ndef compute_reward(height):\n    # harmless{character}\n    return"
        " height, {}\n"
    )
    with pytest.raises(CheckError) as refused:
        check_source(code, SPEC)
    shown = ascii(character)[1:-1]
    assert str(refused.value) == f"Line 5: the code holds the control character {shown}: remove it."


def test_an_invalid_escape_in_a_string_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    check_source("def compute_reward(height):\n    'about \\s'\n    return height, {}\n", SPEC)
    assert not recwarn.list
