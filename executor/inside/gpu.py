"""The memory of a GPU, as the process that used it knows it; nothing here starts CUDA."""

import sys
from typing import Dict


def gpu_memory() -> "Dict[str, int]":
    """Bytes that torch reserved at most on one device, and what that device has; nothing where CUDA was not used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    reserved = [torch.cuda.max_memory_reserved(device) for device in range(torch.cuda.device_count())]
    most = max(range(len(reserved)), key=reserved.__getitem__)
    return {"peak_gpu_memory": reserved[most], "gpu_memory": torch.cuda.get_device_properties(most).total_memory}
