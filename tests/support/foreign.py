"""What makes a run somebody else's: texts that steer a terminal, and a database that was changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from eureka_agent.config.synthesis import GROUP_OF
from eureka_agent.runs.directory import RunDir

ELSEWHERE = "https://api.example.com/v1"
HOSTILE = "a\x1b]0;owned\x07\x1b[2J[bold]b[/bold]\u202e\u2066\ud800\r\x9b31m"
VERBS = ("show", "resume", "export", "diff")


def change_config(run: RunDir, **values: object) -> None:
    with closing(sqlite3.connect(run.database)) as db:
        (text,) = db.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()
        config = json.loads(text)
        for name, value in values.items():
            config[GROUP_OF[name]][name] = value
        db.execute(
            "UPDATE meta SET value = ? WHERE key = 'config'",
            (json.dumps(config),),
        )
        db.commit()


def command(run: RunDir, *statements: str) -> None:
    with closing(sqlite3.connect(run.database)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
