"""Parts of the made-up answers: prose in many languages, rewards, fences."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Dice = random.Random
Expected = Literal["reward", "extract", "check"]


@dataclass(frozen=True)
class Reply:
    """One answer and its expected result."""

    family: str
    text: str
    expected: Expected
    """A reward that passes the checks, or an error: nothing to extract, or refused by them."""
    meant: str = ""
    """For a reward: equivalent plain code."""
    says: str = ""
    """For an error: part of its sentence."""


PROSE = {
    "English": (
        "Here is the reward. It pays for speed, and for staying up.",
        "Note: I have not run it (yet)!",
    ),
    "German": (
        "Hier ist die Belohnung: sie zählt Tempo und Höhe.",
        "Größere Gewichte wären möglich, glaube ich.",
    ),
    "French": (
        "Voici la récompense : elle paie la vitesse, d'abord.",
        "N'hésitez pas à l'ajuster — c'est facile.",
    ),
    "Spanish": (
        "¡Aquí está la recompensa! ¿Qué paga? La velocidad.",
        "Espero que ayude; si no, cámbiela.",
    ),
    "Russian": ("Вот функция награды: скорость и высота.", "Если что-то не так, исправьте веса."),
    "Turkish": (
        "İşte ödül: hız ve yükseklik için puan verir.",
        "Ağırlıkları değiştirebilirsiniz, şöyle: daha büyük.",
    ),
    "Arabic": ("هذه هي دالة المكافأة، تدفع مقابل السرعة.", "يمكنك تغيير الأوزان إذا لزم الأمر."),
    "Hebrew": ("הנה פונקציית התגמול: מהירות וגובה.", "אפשר לשנות את המשקלים בקלות."),
    "Chinese": ("这是奖励函数：奖励速度和高度。", "如果需要，可以调整权重（例如更大）。"),
    "Japanese": ("報酬関数はこちらです。速度と高さを評価します。", "重みは自由に変えてください！"),
    "Korean": ("보상 함수입니다: 속도와 높이를 봅니다.", "가중치는 바꿔도 됩니다."),
    "Hindi": ("यह इनाम का फलन है: गति और ऊँचाई।", "भार बदले जा सकते हैं।"),
}


def around(dice: Dice, middle: str) -> str:
    before, after = PROSE[dice.choice([*PROSE])]
    return f"{before}\n\n{middle}\n\n{after}\n"


def reward(dice: Dice) -> str:
    """Return a reward that passes the checks, in one of four styles, with random numbers."""
    a, b = round(dice.uniform(0.1, 3.0), 3), round(dice.uniform(0.1, 0.9), 2)
    return dice.choice(_STYLES).replace("AA", str(a)).replace("BB", str(b))


_STYLES = (
    """import torch
from torch import Tensor


def compute_reward(velocity: Tensor, height: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    # forwards, and up
    speed = velocity[:, 0]
    upright = torch.exp(-AA * (height - BB) ** 2)
    return speed + upright, {"speed": speed, "upright": upright}
""",
    """import torch
from typing import Dict, Tuple

SCALE = AA


@torch.jit.script
def bell(x: torch.Tensor, width: float) -> torch.Tensor:
    return torch.exp(-(x * x) / width)


@torch.jit.script
def compute_reward(height: torch.Tensor, action: torch.Tensor) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    near = (height > BB) & (height < 2.0 * SCALE)
    cost = -AA * action.square().sum(dim=-1)
    total = torch.where(near, bell(height, SCALE), cost)
    return total, {"near": near.float(), "cost": cost}
""",
    '''import torch


def compute_reward(
    velocity: torch.Tensor,
    rotation: torch.Tensor,
    target_speed: float,
):
    """Reach the "target" speed; don't tip over.

    reward = exp(-error / AA) + BB * up
    """
    error = torch.abs(torch.norm(velocity, dim=-1) - target_speed)
    up = rotation[:, 0] ** 2
    components = {"error": -error, "up": up}
    return torch.exp(-error / AA) + BB * up, components
''',
    """import torch

def compute_reward(velocity, prev_velocity, action):
    gain = (velocity - prev_velocity).norm(dim=1)
    rewards = {}
    for k in range(2):
        rewards[f"effort_{k}"] = -BB * torch.abs(action[:, k])
    rewards["gain"] = AA * gain
    total = rewards["gain"] + rewards["effort_0"] + rewards["effort_1"]
    return total, rewards
""",
)


def fenced(code: str, info: str = "python", mark: str = "```") -> str:
    return f"{mark}{info}\n{code}{mark}"


Make = Callable[[Dice, str], str]
