"""A run that asks on the page, in its own process: `web_run.py FOLDER start|resume`.

It prints `page ADDRESS`, `asked GENERATION` and `trained NAMES` when these happen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import eureka_agent as ea
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Prompt
from eureka_agent.search.events import Event, FeedbackRequested, RunStarted, TrainingStarted
from tests.support.rewards import upright
from tests.support.runs import config


def _listen(event: Event) -> None:
    match event:
        case RunStarted():
            _say(f"page {event.page}")
        case FeedbackRequested():
            _say(f"asked {event.generation}")
        case TrainingStarted():
            _say(f"trained {' '.join(event.names)}")


def _answer(prompt: Prompt, index: int) -> str:
    return upright(0.1 * (prompt.generation * 3 + index + 1))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    folder, how = Path(sys.argv[1]), sys.argv[2]
    proposer = ScriptedProposer(_answer)
    if how == "start":
        settings = config(folder.parent, run_name=folder.name, feedback="web", port=0)
        ea.synthesize(settings, proposer=proposer, listener=_listen)
    else:
        ea.resume(folder, proposer=proposer, listener=_listen)
