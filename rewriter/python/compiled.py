"""Decorators that read the source or the bytecode of what they decorate.

They know no tracer, so a function under one is left alone, and so is all that is in it.
``jax.jit`` is none of them: it calls the function.
"""

from __future__ import annotations

COMPILED = (
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
