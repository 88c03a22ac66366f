"""Linux: one helper process that forks the sealed process of every reward."""

from __future__ import annotations

import os
from typing import ClassVar

from eureka_agent.jail.helper_process import Helper, ProcessHandle


class ForkServer(Helper):
    """The warm parent of all sealed processes; see `sandbox/fork_server.py`."""

    module = "eureka_agent.sandbox.fork_server"
    hello: ClassVar = {"threads": 1}

    def __init__(self) -> None:
        """Start it and wait until it is warm. Raises SandboxError if that fails."""
        super().__init__()
        try:
            self.wait_until_warm()
        except BaseException:
            self.close()
            raise

    def end(self, handle: ProcessHandle) -> int:
        """See `Helper.end`. Raises HelperDiedError if the fork server died, with its children."""
        handle.channel.close()
        status = self._request({"do": "end", "pid": handle.pid})["status"]
        assert isinstance(status, int)
        return os.waitstatus_to_exitcode(status)
