from .backend import Backend
from .base import Proposer
from .chat import ChatProposer
from .factory import chat_proposer, make_proposer
from .grammar.proposer import GrammarProposer
from .scripted import ScriptedProposer
from .spending import Usage, UsageLimits

__all__ = [
    "Backend",
    "ChatProposer",
    "GrammarProposer",
    "Proposer",
    "ScriptedProposer",
    "Usage",
    "UsageLimits",
    "chat_proposer",
    "make_proposer",
]
