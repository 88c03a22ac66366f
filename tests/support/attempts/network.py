"""Attempts on the network and the sockets of this machine."""

from __future__ import annotations

from tests.support.attempts.attempt import bodies, system_calls

ATTEMPTS = (
    *bodies(
        "network",
        "nothing arrives at the planted servers",
        {
            "TCP": "import socket\nsocket.create_connection(('127.0.0.1', $TCP)).send(b'x')\nloot = True",
            "UDP": (
                "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', $UDP))\n"
                "loot = True"
            ),
            "Unix socket": "import socket\nsocket.socket(socket.AF_UNIX).connect('$UNIX')\nloot = True",
            "abstract Unix socket": "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0$ABSTRACT')\nloot = True",
            "listen": "import socket\nsocket.create_server(('127.0.0.1', 0))\nloot = True",
            "pair": "import socket\nloot = socket.socketpair()",
            "raw": "import socket\nloot = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
            "netlink": "import socket\nloot = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
            "packets": "import socket\nloot = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
            "name server": "import socket\nloot = socket.getaddrinfo('localhost', 80)",
            "interfaces": "import socket\nloot = socket.if_nameindex()",
            "web": "import urllib.request\nloot = urllib.request.urlopen('http://127.0.0.1:$TCP', timeout=1)",
            "event loop": "import asyncio\nloot = asyncio.new_event_loop()",
            "pipe": "import os\nloot = os.pipe()",
            "wait on the channel": "import select\nloot = select.select([3], [], [], 0) is not None",
        },
    ),
    *system_calls(
        "network: system calls",
        "nothing arrives at the planted servers",
        {
            "socket": (41, "2, 1, 0"),
            "pass a descriptor": (46, "3, bytes(56), 0"),
            "receive a descriptor": (47, "3, bytes(56), 0"),
            "shut the channel": (48, "3, 2"),
            "duplicate the channel": (32, "3"),
            "close the channel's neighbour": (436, "4, 100, 0"),
            "resize the shared memory": (77, "3, 0"),
            "control the channel": (72, "3, 4, 2048"),
        },
    ),
)
