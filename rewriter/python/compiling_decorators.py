"""Decorators that read the source or the bytecode of the functions they decorate.

They do not support a tracer, so a function under one is skipped with everything in it.
``jax.jit`` is not listed: it calls the function.
"""

from __future__ import annotations

COMPILING_DECORATORS = (
    "cupyx.jit.*",
    "cutlass.*jit",
    "cutlass.*kernel",
    "cython.*",
    "Cython.*",
    "dace.method",
    "dace.program",
    "gt4py.*",
    "guppylang.*",
    "helion.kernel",
    "lpython.*",
    "micropython.*",
    "numba.*",
    "pyccel.*",
    "taichi.*func",
    "taichi.*kernel",
    "tensorflow.autograph.*",
    "tensorflow.function",
    "torch._dynamo.optimize",
    "torch.compile",
    "torch.jit.*",
    "transonic.*",
    "triton.*",
    "tvm.*hybrid.*",
    "tvm.script.*",
    "warp.func*",
    "warp.kernel",
)
