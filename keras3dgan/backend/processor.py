"""What the processor can do."""

import pathlib


def cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 matrices: AMX or AVX512-BF16."""
    try:
        words = pathlib.Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return bool({"amx_bf16", "avx512_bf16"} & set(words))
