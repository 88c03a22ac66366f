from .backend import Backend
from .base import Proposer
from .chat import ChatProposer
from .choose import chat_proposer, choose_proposer
from .grammar.proposer import GrammarProposer
from .scripted import ScriptedProposer
from .spending import Amount, Spending

__all__ = [
    "Amount",
    "Backend",
    "ChatProposer",
    "GrammarProposer",
    "Proposer",
    "ScriptedProposer",
    "Spending",
    "chat_proposer",
    "choose_proposer",
]
