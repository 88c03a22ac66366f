"""Hostile code with the static checks off: the layers behind them must hold on their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eureka_agent.errors import RewardRuntimeError
from eureka_agent.jail import Sandbox
from tests.support.sandboxed import SECRET, children, hostile, state

REFUSED = {
    "read a file": "open('/etc/passwd').read()",
    "write a file": "open('/tmp/eureka_escape', 'w').write('x')",
    "list a folder": "import os; os.listdir('/')",
    "read its parent's environment": "import os; open(f'/proc/{os.getppid()}/environ').read()",
    "run a program": "import subprocess; subprocess.run(['true'])",
    "replace itself": "import os; os.execv('/bin/true', ['true'])",
    "fork": "import os; os.fork()",
    "open a socket": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "kill its parent": "import os; os.kill(os.getppid(), 9)",
    "kill everything": "import os; os.kill(-1, 9)",
    "start a thread": "import threading; threading.Thread(target=print).start()",
    "read standard input": "import os; os.read(0, 1)",
    "write to standard output": "import os; os.write(1, b'x')",
    "map executable memory": (
        "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)"
    ),
    "load a library": "import ctypes; ctypes.CDLL('libcrypt.so.1')",
    "lift a limit": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "load a pickle": "torch.load('/tmp/x', weights_only=False)",
    "save a tensor": "torch.save(height, '/tmp/eureka_escape')",
    "truncate the shared memory": "import os\nfor fd in range(3, 32):\n    os.ftruncate(fd, 0)",
    "trace its parent": (
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.ptrace(16, os.getppid(), 0, 0) < 0: raise OSError(ctypes.get_errno(), 'ptrace')"
    ),
    "become inspectable": (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.prctl(4, 1, 0, 0, 0) < 0: raise OSError(ctypes.get_errno(), 'prctl')"
    ),
    "use io_uring": (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.syscall(425, 1, bytes(120)) < 0: raise OSError(ctypes.get_errno(), 'io_uring')"
    ),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_forbidden_act_is_refused_and_reported(sandbox: Sandbox, body: str) -> None:
    helper = sandbox.helper_pid
    reward = hostile(sandbox, body)
    with pytest.raises(RewardRuntimeError, match=r"line [345]"):
        reward(state())
    assert not Path("/tmp/eureka_escape").exists()
    assert sandbox.helper_pid == helper
    assert children(helper) == []


def test_shell_command_does_not_run(sandbox: Sandbox) -> None:
    reward = hostile(sandbox, "import os; os.system('touch /tmp/eureka_escape')")
    reward(state())
    reward.close()
    assert not Path("/tmp/eureka_escape").exists()


def test_secrets_are_neither_in_the_environment_nor_in_the_memory(sandbox: Sandbox) -> None:
    assert SECRET not in Path(f"/proc/{sandbox.helper_pid}/environ").read_text()
    # Written in pieces, so that it does not find the candidate's own source.
    body = f"""
import ctypes, gc, os
assert not os.environ
address = ctypes.c_void_p.in_dll(ctypes.CDLL(None), 'environ').value
assert not address or not ctypes.c_void_p.from_address(address).value
secret = {SECRET[:9]!r} + {SECRET[9:]!r}
for thing in gc.get_objects():
    assert type(thing) is not dict or secret not in [v for v in thing.values() if type(v) is str and v is not secret]
"""
    reward = hostile(sandbox, body)
    reward(state())
    reward.close()


def test_writing_to_shared_memory_does_not_change_the_next_input(sandbox: Sandbox) -> None:
    body = """
import gc, mmap
for thing in gc.get_objects():
    if isinstance(thing, torch.Tensor) and thing._is_view() and thing.dtype == torch.float32:
        thing.fill_(7.0)
for thing in gc.get_objects():
    if type(thing).__name__ == 'Exchange':
        thing.inputs['height'].fill_(7.0)
"""
    with_rows = state()
    reward = hostile(sandbox, body)
    for _ in range(2):
        batch = reward(with_rows)
        assert torch.equal(batch.reward, with_rows["height"])
    reward.close()


FORGERIES = {
    "no length": "os.write(3, b'x')",
    "a huge length": "os.write(3, b'\\xff\\xff\\xff\\xff')",
    "no JSON": "os.write(3, b'\\x00\\x00\\x00\\x03abc')",
    "no object": "os.write(3, b'\\x00\\x00\\x00\\x02[]')",
    "deep nesting": "os.write(3, (60000).to_bytes(4, 'big') + b'[' * 60000)",
    "names that are not text": "send({'names': [1, None]})",
    "a name twice": "send({'names': ['a', 'a']})",
    "too many names": "send({'names': [str(i) for i in range(99)]})",
    "a name with control characters": "send({'names': ['\\x1b[31m']})",
    "an error that is not text": "send({'raised': {'a': [1]}, 'message': 3, 'line': 'x'})",
    "a line that does not exist": "send({'raised': 'E', 'message': 'm', 'line': 10 ** 9})",
    "control characters in an error": "send({'broke': '\\x1b[2J' + 'x' * 9999})",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_answer_ends_the_reward_and_nothing_else(sandbox: Sandbox, forgery: str) -> None:
    body = f"""
import os, json
def send(message):
    data = json.dumps(message).encode()
    os.write(3, len(data).to_bytes(4, 'big') + data)
{forgery}
os._exit(0)
"""
    with pytest.raises(RewardRuntimeError) as caught:
        hostile(sandbox, body)(state())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    assert children(sandbox.helper_pid) == []


ENDINGS = {
    "leaves": ("raise SystemExit(3)", "SystemExit on line 3"),
    "exits": ("import os; os._exit(0)", "ended its own process"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "aborts": ("import os; os.abort()", "SIGABRT"),
    "calls through the x32 interface": (
        "import ctypes; ctypes.CDLL(None).syscall(0x40000000 | 39)",
        "system call that no reward needs",
    ),
    "spins": ("while True: pass", "more than 1.5 s of processor time"),
    "eats memory": ("x = [bytearray(1 << 32) for _ in range(16)]", "MemoryError on line 3"),
    "asks for a huge tensor": ("torch.ones(1 << 40)", "RuntimeError on line 3"),
    "starts an OpenMP pool": (
        "torch.set_num_threads(4); torch.rand(4096, 512) @ torch.rand(512, 4096)",
        "ended its own process",
    ),
    "recurses": ("def f(): return f()\nf()", "RecursionError on line 3"),
}


@pytest.mark.parametrize(("body", "says"), ENDINGS.values(), ids=ENDINGS.keys())
def test_violent_end_is_the_candidates_fault(sandbox: Sandbox, body: str, says: str) -> None:
    with pytest.raises(RewardRuntimeError, match=says):
        hostile(sandbox, body)(state())
    assert children(sandbox.helper_pid) == []
