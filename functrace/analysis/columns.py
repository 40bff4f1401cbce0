"""What has columns, as pandas.DataFrame and its like take it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt


class Columns:
    """A dataclass some of whose fields are numpy arrays of the same length."""

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
