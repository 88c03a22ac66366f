from .backend import Backend
from .base import Proposer
from .chat import ChatProposer
from .description import AskedModel, LargestCost, ProposerDescription
from .factory import chat_proposer, make_proposer
from .grammar.proposer import GrammarProposer
from .scripted import ScriptedProposer
from .spending import Usage, UsageLimits

__all__ = [
    "AskedModel",
    "Backend",
    "ChatProposer",
    "GrammarProposer",
    "LargestCost",
    "Proposer",
    "ProposerDescription",
    "ScriptedProposer",
    "Usage",
    "UsageLimits",
    "chat_proposer",
    "make_proposer",
]
