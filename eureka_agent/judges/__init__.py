"""Who judges a generation: a person at a terminal, or a stand-in; others pass a function of their own."""

from eureka_agent.judges.choose import choose_judge as choose_judge
from eureka_agent.judges.terminal import TerminalJudge as TerminalJudge
