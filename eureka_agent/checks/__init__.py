"""The static allow-list: what the source of a reward function may say, found without running it.

Its first purpose is a precise message for whoever wrote the reward; its second is a narrow surface.
What holds when it is bypassed is the sealed process (`sandbox/`), which checks the source once more
itself.
"""

from eureka_agent.checks.source import REWARD_FILE, CheckedCode, check_source, compile_checked

__all__ = ["REWARD_FILE", "CheckedCode", "check_source", "compile_checked"]
