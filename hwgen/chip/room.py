"""How full the memories of a chip are with a program, in terms common to all families."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Room:
    """What a program takes of a memory: `used` of `size`.

    what: the memory, and in which unit it is counted
    """

    what: str
    used: Annotated[int, Field(ge=0)]
    size: Annotated[int, Field(ge=1)]
