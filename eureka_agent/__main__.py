"""`python -m eureka_agent` is `eureka-agent`."""

from __future__ import annotations

import sys

from eureka_agent.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
