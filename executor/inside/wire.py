"""What goes over the pipes: one JSON object a line, arrays packed as base64 of little-endian float64, never pickle."""

import array
import base64
import json
import math
import sys
from typing import Any, Dict, List


def send(descriptor: int, message: "Dict[str, Any]") -> None:
    """Write one message, whole. `ValueError` where a number is not finite."""
    line = json.dumps(message, allow_nan=False).encode() + b"\n"
    sent = 0
    with open(descriptor, "wb", buffering=0, closefd=False) as pipe:
        while sent < len(line):
            sent += pipe.write(line[sent:]) or 0


def pack(values: "List[float]") -> "Dict[str, Any]":
    """A one-dimensional array as a JSON object: `{"length": N, "data": base64}`."""
    numbers = array.array("d", [float(value) for value in values])
    if sys.byteorder == "big":
        numbers.byteswap()
    return {"length": len(numbers), "data": base64.b64encode(numbers.tobytes()).decode()}


def finite(value: float) -> bool:
    """Whether `value` is a number that a result may carry."""
    return math.isfinite(value)
