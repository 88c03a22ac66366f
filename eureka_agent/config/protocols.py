"""Named sets of search settings (`--protocol`)."""

from __future__ import annotations

PROTOCOLS = {
    "eureka": (
        "--generations 25 --samples 16 --strategy restarts --restart-every 5 --final-seeds 5"
        " --budget paper"
    ),
    "matched": "--generations 5 --samples 16 --final-seeds 5",
}
"""What `--protocol` stands for; options written after it override it. `eureka` is the paper's: five
searches of five generations of 16; the best of all is trained with five more seeds. `matched` takes
80 trainings with every strategy."""
