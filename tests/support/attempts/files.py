"""Attempts on files, links and attributes, on keys in the environment, and on `/proc`."""

from __future__ import annotations

from tests.support.attempts.attempt import bodies, system_calls

ATTEMPTS = (
    *bodies(
        "files: read",
        "planted file",
        {
            "open()": "loot = open('$FILE').read()",
            "os.open": "import os\nloot = os.open('$FILE', os.O_RDONLY) >= 0",
            "pathlib": "from pathlib import Path\nloot = Path('$FILE').read_text()",
            "linecache": "import linecache\nloot = linecache.getlines('$FILE')",
            "stat": "import os\nloot = os.stat('$FILE')",
            "exists": "import os\nloot = os.path.exists('$FILE')",
            "access": "import os\nloot = os.access('$FILE', os.R_OK)",
            "list a folder": "import os\nloot = os.listdir('$FOLDER')",
            "scan a folder": "import os\nloot = list(os.scandir('$FOLDER'))",
            "read an attribute": "import os\nloot = os.listxattr('$FILE') is not None",
            "read a link": "import os\nloot = os.readlink('/proc/self/exe')",
            "change folder": "import os\nos.chdir('$FOLDER')\nloot = True",
            "a folder's descriptor": "import os\nloot = os.open('$FOLDER', os.O_PATH) >= 0",
        },
    ),
    *bodies(
        "files: change",
        "planted file and folder",
        {
            "write": "loot = open('$FILE', 'w').write('x')",
            "append": "loot = open('$FILE', 'a').write('x')",
            "create": "loot = open('$FOLDER/new', 'x').write('x')",
            "make a folder": "import os\nos.mkdir('$FOLDER/new')\nloot = True",
            "remove": "import os\nos.remove('$FILE')\nloot = True",
            "rename": "import os\nos.rename('$FILE', '$FOLDER/new')\nloot = True",
            "symbolic link": "import os\nos.symlink('$FILE', '$FOLDER/new')\nloot = True",
            "hard link": "import os\nos.link('$FILE', '$FOLDER/new')\nloot = True",
            "change the mode": "import os\nos.chmod('$FILE', 0o777)\nloot = True",
            "change the owner": "import os\nos.chown('$FILE', 1, 1)\nloot = True",
            "change the time": "import os\nos.utime('$FILE', (1, 1))\nloot = True",
            "truncate": "import os\nos.truncate('$FILE', 0)\nloot = True",
            "write an attribute": "import os\nos.setxattr('$FILE', 'user.x', b'x')\nloot = True",
            "make a named pipe": "import os\nos.mkfifo('$FOLDER/new')\nloot = True",
            "make a device": "import os\nos.mknod('$FOLDER/new')\nloot = True",
            "a temporary file": "import tempfile\nloot = tempfile.TemporaryFile()",
            "log to a file": "import logging\nloot = logging.FileHandler('$FOLDER/new')",
        },
    ),
    *bodies(
        "secrets",
        "planted key",
        {
            "environment": "import os\nloot = [value for value in os.environ.values() if '9f2c61' in value]",
            "C environment": (
                "import ctypes\ngetenv = ctypes.CDLL(None).getenv\ngetenv.restype = ctypes.c_char_p\n"
                "loot = getenv(b'PLANTED_API_KEY')"
            ),
            "own /proc environ": "loot = open('/proc/self/environ', 'rb').read()",
            "trusted process's environ": "loot = open('/proc/$PID/environ', 'rb').read()",
            "trusted process's command line": "loot = open('/proc/$PID/cmdline', 'rb').read()",
            "trusted process's memory": "loot = open('/proc/$PID/mem', 'rb')",
            "trusted process's memory map": "loot = open('/proc/$PID/maps').read()",
            "trusted process's descriptors": "import os\nloot = os.listdir('/proc/$PID/fd')",
            "helper process's environ": "import os\nloot = open(f'/proc/{os.getppid()}/environ', 'rb').read()",
            "own memory map": "loot = open('/proc/self/maps').read()",
            "password database": "import pwd\nloot = pwd.getpwall()",
            "terminal": "loot = open('/dev/tty')",
            "inherited descriptors": (
                "import os\nloot = []\nfor number in [0, 1, 2, *range(4, 64)]:\n"
                "    try:\n        loot.append(os.read(number, 1))\n    except OSError:\n        pass"
            ),
        },
    ),
    *system_calls(
        "files: system calls",
        "planted file and folder",
        {
            "openat2": (437, "-100, b'$FILE', bytes(24), 24"),
            "open by handle": (304, "-100, bytes(64), 0"),
            "mount": (165, "b'none', b'$FOLDER', b'tmpfs', 0, 0"),
            "change the root": (161, "b'$FOLDER'"),
            "memory file": (319, "b'x', 0"),
            "watch files": (294, "0"),
            "quota": (179, "0, 0, 0, 0"),
            "copy a file range": (326, "3, 0, 3, 0, 1, 0"),
            "send the channel's file": (40, "3, 3, 0, 1"),
        },
    ),
    *system_calls(
        "secrets: system calls",
        "planted key",
        {
            "read the trusted process": (310, "$PID, bytes(16), 1, bytes(16), 1, 0"),
            "kernel keyring": (250, "0, -3, 0"),
            "kernel log": (103, "3, bytes(64), 64"),
        },
    ),
)
