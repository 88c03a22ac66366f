"""The recorded episodes in a run's database."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_agent.errors import StoreError
from eureka_agent.runs.database import RunDatabase

_SCENE = "scene"
"""The name of the scene among the replays; no reward is called so."""


class ReplayDatabase(RunDatabase):
    """Reads and writes the table of replays; `Store` adds the other records."""

    def replay(self, name: str) -> bytes | None:
        """Return the recorded episodes of a reward's policy; see `Evaluated.replay`.

        Args:
            name: The candidate's name, `human reward` or `sparse reward`.

        Returns:
            A pack, which may be damaged in a run from elsewhere; None if there is none.

        Raises:
            StoreError: The stored value is not bytes, or cannot be read.
        """
        return self._blob(name)

    def scene(self) -> bytes | None:
        """Return what replays show, `Task.scene`; None if the task has none. Raises StoreError."""
        return self._blob(_SCENE)

    def replays(self) -> tuple[str, ...]:
        """Return the names of the rewards that have a replay, in the order of their training."""
        rows = self._rows("SELECT name FROM replays WHERE name != ? ORDER BY rowid", _SCENE)
        return tuple(str(name) for (name,) in rows)

    def save_scene(self, scene: bytes) -> None:
        """Write what replays show. Raises StoreError."""
        with self._transaction("write the scene"):
            self._save_replays({_SCENE: scene})

    def _blob(self, name: str) -> bytes | None:
        rows = self._rows("SELECT record FROM replays WHERE name = ?", name)
        if not rows:
            return None
        if not isinstance(rows[0][0], bytes):
            raise StoreError(f"The run holds a damaged replay of {name}.")
        return rows[0][0]

    def _save_replays(self, replays: Mapping[str, bytes | None]) -> None:
        statement = (
            "INSERT INTO replays VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET record = excluded.record"
        )
        for name, replay in replays.items():
            if replay is not None:
                self._db.execute(statement, (name, replay))
