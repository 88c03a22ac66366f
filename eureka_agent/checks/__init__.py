"""The static allow-list: check a reward function's source without running it.

Its first purpose is a precise message for the author of the reward; its second is a small attack
surface. If it is bypassed, the sealed process (`sandbox/`) still holds; that process checks the
source again itself.
"""

from eureka_agent.checks.source import REWARD_FILE, CheckedCode, check_source, compile_checked

__all__ = ["REWARD_FILE", "CheckedCode", "check_source", "compile_checked"]
