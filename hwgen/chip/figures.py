"""Figures of tables that a person writes: energies, powers, areas and times, as YAML has them."""

from typing import Annotated

from pydantic import Field

MOST = 1e9
"""No part of a chip has more, in any unit that a table has: 1e9 pJ are a millijoule an event."""

Positive = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
