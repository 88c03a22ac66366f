"""Attempts to change shared state: functions, settings, inputs, aliases, also in a later call."""

from __future__ import annotations

from tests.support.attempts.attempt import Attempt, bodies

_BOMB = "N = []\ndef compute_reward(height):\n    N.append(1)\n    if len(N) > 3:\n        {}\n    return height, {{}}"
_BOMBS = {
    "opens a file": "open('$FOLDER/new', 'w')",
    "reads the key": "height = height * len(__import__('os').environ['PLANTED_API_KEY'])",
    "gives NaN": "height = height / 0 * 0",
    "gives wrong rewards": "height = -height",
    "changes its components": "return height, {'late': height}",
    "changes its shape": "return height[:1], {}",
    "changes its input": "height.add_(1)",
    "ends": "__import__('os')._exit(0)",
    "forges an answer": "__import__('os').write(3, b'\\xff' * 64)",
    "crashes": "__import__('ctypes').string_at(0)",
}

ATTEMPTS = (
    *bodies(
        "state: patching",
        "torch, JSON and the other candidates",
        {
            "torch function": "torch.exp = lambda x: x * 0\nloot = False",
            "tensor method": "torch.Tensor.__add__ = lambda a, b: 0",
            "tensor clone": "torch.Tensor.clone = lambda a: a * 0",
            "JSON": "import json\njson.dumps = lambda x: '{}'",
            "builtins": "import builtins\nbuiltins.len = lambda x: 0",
            "finite check": "torch.isfinite = lambda x: x == x",
            "checks": "import eureka_agent.checks as c\nc.compile_checked = None",
            "limits": "import sys\nsys.setrecursionlimit(1 << 30)",
            "tables": "import eureka_agent.checks.names as n\nn.MODULES.clear()",
        },
    ),
    *bodies(
        "state: torch settings",
        "settings of the trusted process and of the other candidates",
        {
            "default dtype": "torch.set_default_dtype(torch.float64)",
            "default device": "torch.set_default_device('meta')",
            "seed": "torch.manual_seed(0)",
            "gradients": "torch.set_grad_enabled(False)",
            "deterministic": "torch.use_deterministic_algorithms(True)",
            "flush denormals": "torch.set_flush_denormal(True)",
            "threads": "torch.set_num_threads(1)",
            "print options": "torch.set_printoptions(precision=1)",
            "dispatch mode": (
                "from torch.utils._python_dispatch import TorchDispatchMode\n"
                "class M(TorchDispatchMode):\n"
                "    def __torch_dispatch__(self, f, t, a=(), k=None): return None\nM().__enter__()"
            ),
            "function override": "torch.library.Library('aten', 'IMPL').impl('exp', lambda x: x * 0, 'CPU')",
        },
    ),
    *bodies(
        "state: inputs",
        "the trusted state",
        {
            "in place": "height.add_(1)",
            "augmented": "height += 1",
            "by index": "height[:] = 7.0",
            "out=": "torch.zeros(len(height), out=height)",
            "data": "height.data.fill_(7)",
            "detached": "height.detach().fill_(7)",
            "numpy view": "height.numpy()[:] = 7",
            "set": "height.set_(torch.zeros(8))",
            "resize": "height.resize_(9)",
            "storage": "height.untyped_storage().fill_(0)",
            "raw memory": "import ctypes\nctypes.memset(height.data_ptr(), 0, 4 * len(height))",
            "shared inputs": (
                "import gc\nfor x in gc.get_objects():\n    if type(x).__name__ == 'SharedBuffers':\n"
                "        x.inputs['height'].fill_(7.0)"
            ),
            "shared rewards": (
                "import gc\nfor x in gc.get_objects():\n    if type(x).__name__ == 'SharedBuffers':\n"
                "        x.reward.fill_(7.0)\n        x.components.fill_(7.0)"
            ),
            "answer is the shared memory": (
                "import gc\nfor x in gc.get_objects():\n    if type(x).__name__ == 'SharedBuffers':\n"
                "        height = x.inputs['height'][:len(height)]"
            ),
            "hook": "height.requires_grad_().register_hook(lambda g: open('$FOLDER/new', 'w'))",
        },
    ),
    *(
        Attempt(
            f"at the fourth call: {name}",
            "state: time bomb",
            _BOMB.format(code),
            "everything",
            True,
            5,
        )
        for name, code in _BOMBS.items()
    ),
)
