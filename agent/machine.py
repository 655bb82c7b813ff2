"""What machine this is, for the report's appendix and for `lesion doctor`; nothing here starts CUDA."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def package_version(name: str = "lesion") -> str:
    """The installed version of a distribution, `unknown` where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def machine() -> dict[str, Any]:
    """Operating system, processor, cores and memory."""
    return {
        "lesion": package_version(),
        "numpy": package_version("numpy"),
        "scipy": package_version("scipy"),
        "platform": platform.platform(),
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }


def free_memory() -> int:
    """Bytes that programs can still get."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
