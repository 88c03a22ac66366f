"""Attempts to use up processor time, memory, descriptors and disk, or to block the trusted side."""

from __future__ import annotations

from tests.support.attempts.attempt import Attempt, bodies

ATTEMPTS = (
    *bodies(
        "exhaustion: time",
        "the trusted process goes on",
        {
            "endless loop": "while True: pass",
            "long loop": "x = 0\nfor i in range(10 ** 12):\n    x = x + i",
            "huge power": "x = 9 ** 9 ** 9",
            "huge sum": "x = torch.zeros(1).expand(1 << 40).sum()\nheight = height + x",
            "endless regular expression": "import re\nre.match('(a+)+b', 'a' * 64)",
            "sleep": "import time\ntime.sleep(60)\nloot = True",
            "wait for itself": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
            "stop itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        },
    ),
    *bodies(
        "exhaustion: memory",
        "memory of the machine",
        {
            "huge tensor": "height = height + torch.ones(1 << 40).sum()",
            "many tensors": "kept = []\nfor i in range(10 ** 6):\n    kept = kept + [torch.ones(1 << 24)]",
            "outer products": "x = torch.ones(1 << 20)\nheight = height + (x[:, None] * x[None]).sum()",
            "bytes": "x = [bytearray(1 << 32) for _ in range(16)]",
            "text": "x = 'x' * (1 << 40)",
            "list": "x = [0] * (1 << 38)",
            "anonymous memory": "import mmap\nloot = mmap.mmap(-1, 1 << 40)",
            "recursion": "def f(x):\n    return f(x)\nheight = f(height)",
            "deep nesting": "x = []\nfor i in range(10 ** 6):\n    x = [x]\nheight = height + len(f'{x}')",
            "deep nesting, freed": "x = []\nfor i in range(10 ** 6):\n    x = [x]",
        },
    ),
    *bodies(
        "exhaustion: descriptors and disk",
        "descriptors, disk",
        {
            "descriptors": "import os\nloot = [os.dup(3) for _ in range(100)]",
            "disk": "f = open('$FOLDER/new', 'wb')\nloot = f.write(bytes(1 << 24))",
            "core dump": "import os\nos.abort()",
            "fork bomb": "import os\nwhile True: os.fork()",
            "thread bomb": "import _thread\nwhile True: _thread.start_new_thread(print, ())",
            "OpenMP threads": "torch.set_num_threads(8)\nx = torch.rand(2048, 512) @ torch.rand(512, 2048)",
        },
    ),
    Attempt(
        "slow from the third call on",
        "exhaustion: time",
        "N = []\ndef compute_reward(height):\n    N.append(1)\n    for i in range(10 ** (3 * len(N))):\n        x = i\n"
        "    return height, {}",
        "the trusted process goes on",
        whole=True,
        calls=4,
    ),
)
