"""Two halves of an update, on one core or two."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest
import torch

from eureka_agent.cores import usable_cores
from eureka_agent.trainer.threads import SideBySide

SMALL, LARGE = 1e6, 1e9


def fails() -> NoReturn:
    raise ValueError("this half broke")


@pytest.mark.parametrize("work", [SMALL, LARGE])
def test_both_results_come_back_and_either_exception_is_raised(work: float) -> None:
    both = SideBySide(torch.device("cpu"))
    assert both(lambda: 1, lambda: "two", work) == (1, "two")
    with pytest.raises(ValueError, match="this half broke"):
        both(fails, lambda: 2, work)
    with pytest.raises(ValueError, match="this half broke"):
        both(lambda: 1, fails, work)
    assert both(lambda: 1, lambda: "two", work) == (1, "two")


@pytest.mark.skipif(usable_cores() < 2, reason="needs two cores")
def test_only_what_is_worth_it_runs_in_two_threads() -> None:
    both = SideBySide(torch.device("cpu"))
    one, other = both(threading.get_ident, threading.get_ident, SMALL)
    assert one == other
    one, other = both(threading.get_ident, threading.get_ident, LARGE)
    assert one != other
