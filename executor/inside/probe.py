"""The sandbox's self-test, from inside: tries what must fail and prints, as JSON, what succeeded."""

import json
import os
import socket
import sys
from typing import List


def main() -> None:
    """`probe.py SECRET WRITTEN PORT`: read a file outside, write into the project, connect to the host, see its processes."""
    secret, written, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    succeeded: List[str] = []
    try:
        with open(secret) as file:
            file.read()
        succeeded.append("reading files outside the project")
    except OSError:
        pass
    try:
        with open(written, "w") as file:
            file.write("x")
        succeeded.append("writing into the project")
    except OSError:
        pass
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        succeeded.append("connecting to the host")
    except OSError:
        pass
    try:
        others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) > 64]
    except OSError:
        others = []
    if others:
        succeeded.append("seeing other processes")
    with open("/proc/self/status") as status:
        capable = [line for line in status if line.startswith("CapEff:") and int(line.split()[1], 16)]
    if capable:
        succeeded.append("holding capabilities")
    print(json.dumps(succeeded))


main()
