"""The score in a vision model's answer, whatever the answer is."""

from __future__ import annotations

import pytest

from eureka_agent.errors import JudgeError
from eureka_agent.judges.vision_answers import read_score
from eureka_agent.records import Completion


def answer(text: str, error: str | None = None) -> Completion:
    return Completion(0, text, "m", error=error)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ('{"reason": "it stands", "score": 0.75}', 0.75, "it stands"),
        ('{"score": 1, "reason": "done."}', 1.0, "done"),
        ('```json\n{"reason": "a {brace}", "score": 0}\n```', 0.0, "a {brace}"),
        ('First {"score": 0.1}. Better: {"score": 0.3, "reason": "x"} {"a": 1}', 0.3, "x"),
        ('{"score": 0.5}', 0.5, "no reason given"),
        ('{"score": 0.5, "reason": ["x"]}', 0.5, "no reason given"),
        ('{"score": 0.5, "reason": "a\\nb\\u001b[2J"}', 0.5, "a b\\x1b[2J"),
    ],
)
def test_last_object_with_a_score_counts(text: str, value: float, reason: str) -> None:
    found = read_score(answer(text))
    assert found.value == value
    assert found.reason == reason


def test_long_reasons_are_cut() -> None:
    found = read_score(answer('{"score": 0.5, "reason": "%s"}' % ("x" * 5_000)))
    assert len(found.reason) <= 201


BAD = {
    "empty": ("  \n", "is empty"),
    "prose": ("I would say 0.7 out of 1.", "no JSON object"),
    "an object without a score": ('{"reason": "good"}', "no JSON object"),
    "above 1": ('{"score": 7}', "a number between 0 and 1, got 7"),
    "below 0": ('{"score": -0.1}', "a number between 0 and 1, got -0.1"),
    "NaN": ('{"score": NaN}', "a number between 0 and 1, got nan"),
    "infinity": ('{"score": Infinity}', "a number between 0 and 1, got inf"),
    "text": ('{"score": "0.7"}', "a number between 0 and 1, got '0.7'"),
    "true": ('{"score": true}', "a number between 0 and 1, got True"),
    "nothing": ('{"score": null}', "a number between 0 and 1, got None"),
    "a list": ('[{"score": 0.5', "no JSON object"),
    "nested a thousand deep": ('{"score":' * 5_000, "no JSON object"),
    "an enormous number": ('{"score": 1%s}' % ("0" * 400), "a number between 0 and 1"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=BAD)
def test_other_answers_are_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(JudgeError, match=reason):
        read_score(answer(text))


def test_refused_prompt_has_no_score() -> None:
    with pytest.raises(JudgeError, match="content filter"):
        read_score(answer("", error="The content filter refused the prompt."))
