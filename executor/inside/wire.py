"""What goes over the pipes: one JSON object a line, arrays packed as base64 of little-endian float64, never pickle."""

import array
import base64
import fcntl
import json
import math
import os
import socket
import struct
import sys
from typing import Any, BinaryIO, Dict, List, Optional, Tuple

MARK = struct.Struct("<QQ")
"""Which arm of a job runs: how often that was told, and the arm."""


def send(descriptor: int, message: "Dict[str, Any]") -> None:
    """Write one message, whole. `ValueError` where a number is not finite."""
    line = json.dumps(message, allow_nan=False).encode() + b"\n"
    sent = 0
    with open(descriptor, "wb", buffering=0, closefd=False) as pipe:
        while sent < len(line):
            sent += pipe.write(line[sent:]) or 0


def receive(inbox: socket.socket) -> "Tuple[Optional[Dict[str, Any]], List[BinaryIO]]":
    """One message and the files that came with it; None where the sender has gone."""
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        data, found, _, _ = socket.recv_fds(inbox, 1 << 16, 8)
        descriptors += found
        if not data:
            return None, []
        line += data
    return json.loads(line), [open(one, "r+b" if _writable(one) else "rb") for one in descriptors]


def _writable(descriptor: int) -> bool:
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR


def pack(values: "List[float]") -> "Dict[str, Any]":
    """A one-dimensional array as a JSON object: `{"length": N, "data": base64}`."""
    numbers = array.array("d", [float(value) for value in values])
    if sys.byteorder == "big":
        numbers.byteswap()
    return {"length": len(numbers), "data": base64.b64encode(numbers.tobytes()).decode()}


def finite(value: float) -> bool:
    """Whether `value` is a number that a result may carry."""
    return math.isfinite(value)
