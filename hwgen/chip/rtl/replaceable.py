"""Parts that a replacement can stand for.

Tests: `tests/verif/common/test_replaced.py`.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Generic, cast

from hwgen.chip.replacement import AnyReplacement, MemorySpec, Replacement, Spec
from hwgen.chip.rtl.part import Part


@dataclass(frozen=True)
class Placed:
    """How many modules of a replacement become a part.

    banks: modules one behind the other, each with its words; columns: side by side, each with its
    bits; copies: of all of them, with the same content, since a module has too few ports to read
    """

    _: KW_ONLY
    banks: int = 1
    columns: int = 1
    copies: int = 1

    @property
    def modules(self) -> int:
        """All modules."""
        return self.banks * self.columns * self.copies


class ReplaceablePart(Part, Generic[Spec]):
    """Base of the parts that a replacement can stand for.

    spec_type: of the replacements that can; replacement: what stands for the body, None: ours
    """

    spec_type: ClassVar[type]
    replacement: Replacement[Spec] | None = None

    @property
    def foreign(self) -> Sequence[str]:  # type: ignore[override]
        """The module of the replacement."""
        return () if self.replacement is None else (self.replacement.spec.module,)

    def placed(self, replacement: Replacement[Spec]) -> Placed:
        """Return how modules of a replacement become the part; ConfigError where they cannot."""
        raise NotImplementedError

    def replace_by(self, replacement: AnyReplacement) -> Placed:
        """Put a replacement into the part, and return how its modules become it.

        Errors: ConfigError where they cannot
        """
        if not isinstance(replacement.spec, self.spec_type):
            wanted = "left out for a memory" if self.spec_type is MemorySpec else "array"
            given = getattr(replacement.spec, "kind", "nothing")
            raise replacement.refuse("kind", f"{wanted}, as the part is one", given)
        mine = cast("Replacement[Spec]", replacement)
        found = self.placed(mine)
        self.replacement = mine
        self.parts = ()
        return found
