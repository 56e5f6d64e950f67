"""Records of arrays that compiled functions hand on as one pointer.

Numba copies a NamedTuple field by field into every function that takes one: with 40 arrays that is
most of what it compiles, and 300 words a call. An opaque record has the same fields by name, in
Python and in compiled functions, and is a pointer to them.
"""

# mypy: allow-untyped-calls, disable-error-code="untyped-decorator"

from collections.abc import Callable
from types import FunctionType
from typing import Annotated, ClassVar, TypeVar, get_args, get_origin

import numba
import numpy as np
from numba.core import cgutils, imputils, types
from numba.core.extending import intrinsic, lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.experimental import structref
from numba.experimental.jitclass.base import imp_dtor

from hwgen.chip.checked_cache import Untyped
from hwgen.chip.compiled import compiled

Record = TypeVar("Record")

NUMBERS = {int: types.int64, float: types.float64, bool: types.boolean}


class RecordType(types.StructRef):
    """The type of an opaque record for numba; owner: its class in Python."""

    def __init__(self, owner: type["Opaque"], fields: list[tuple[str, Untyped]]) -> None:
        super().__init__(fields)
        self.owner = owner
        self.name = f"{owner.__module__}.{owner.__qualname__}"

    def __reduce__(self) -> Untyped:
        return type_of, (self.owner,)


def type_of(owner: type["Opaque"]) -> RecordType:
    """Return the type of a class of records."""
    return owner.record_type


class Opaque:
    """A record: made in Python, or by a compiled function.

    Of what a compiled function made the fields are looked up when Python first asks for one.
    """

    __slots__ = ("_meminfo", "_values")

    Fields: ClassVar[Untyped]
    record_type: ClassVar[RecordType]
    assembled: ClassVar[Untyped]
    taken_apart: ClassVar[Untyped]
    plains: ClassVar[dict[str, Callable[[Untyped], Untyped]]]
    _fields: ClassVar[tuple[str, ...]]

    def __init__(self, *args: Untyped, **named: Untyped) -> None:
        given = self.Fields(*args, **named)
        self._hold(
            self.Fields(*[plain(each) for plain, each in zip(self.plains.values(), given)])  # noqa: B905
        )

    def _hold(self, values: Untyped) -> None:
        """Be the record of some values, which are as `plains` makes them."""
        self._values = values
        self._meminfo = self.assembled(values)._meminfo

    @classmethod
    def _numba_box_(cls, kind: RecordType, pointer: Untyped) -> "Opaque":
        made = object.__new__(kind.owner)
        made._values, made._meminfo = None, pointer
        return made

    @property
    def _numba_type_(self) -> RecordType:
        return self.record_type

    def _all_values(self) -> Untyped:
        if self._values is None:
            self._values = self.taken_apart(self)
        return self._values

    def _asdict(self) -> dict[str, Untyped]:
        return dict(self._all_values()._asdict())

    def _replace(self, **named: Untyped) -> Untyped:
        changed = {name: self.plains[name](value) for name, value in named.items()}
        made = object.__new__(type(self))
        made._hold(self._all_values()._replace(**changed))
        return made

    def __reduce__(self) -> Untyped:
        return type(self), tuple(self)

    def __iter__(self) -> Untyped:
        return iter(self._asdict().values())

    def __getattr__(self, name: str) -> Untyped:
        if name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        return getattr(self._all_values(), name)


def plain_of(kind: Untyped) -> Callable[[Untyped], Untyped]:
    """Return what makes a value of Python what a field of this kind holds."""
    if isinstance(kind, types.Array):
        return array_of(np.dtype(str(kind.dtype)))
    if isinstance(kind, RecordType | types.BaseTuple):
        return same
    plains = {types.int64: int, types.float64: float, types.boolean: bool}
    return plains[kind]


def same(value: Untyped) -> Untyped:
    """Return what is given."""
    return value


def array_of(kind: "np.dtype[Untyped]") -> Callable[[Untyped], Untyped]:
    """Return what makes something an array of a kind in C order; most are already."""

    def made(value: Untyped) -> Untyped:
        if isinstance(value, np.ndarray) and value.dtype == kind and value.flags.carray:
            return value
        return np.require(value, kind, ["C", "W"])

    return made


def opaque(fields: type[Record]) -> type[Record]:
    """Make a NamedTuple an opaque record; fields: see `kind_of`, arrays in C order."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return fields
    listed: Untyped = fields
    names = {"__slots__": (), "__doc__": fields.__doc__, "__module__": fields.__module__}
    owner: Untyped = type(fields.__name__, (Opaque,), names | {"_fields": listed._fields})
    fields.__qualname__ = f"{fields.__name__}.Fields"
    owner.Fields = listed
    kinds = [(name, kind_of(kind)) for name, kind in listed.__annotations__.items()]
    owner.record_type = RecordType(owner, kinds)
    owner.plains = {name: plain_of(kind) for name, kind in kinds}
    define_constructor(owner)
    owner.assembled, owner.taken_apart = (staticmethod(own(each, owner)) for each in BOTH_WAYS)
    made: Untyped = owner
    return made  # type: ignore[no-any-return]


def kind_of(annotation: Untyped) -> Untyped:
    """Return the type of a field: a number, an array, another record or a plain NamedTuple.

    An array has one dimension if its annotation says no other.
    """
    if annotation in NUMBERS:
        return NUMBERS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Opaque):
        return annotation.record_type
    if isinstance(annotation, type) and issubclass(annotation, tuple):
        kinds = [kind_of(kind) for kind in annotation.__annotations__.values()]
        return types.BaseTuple.from_types(kinds, annotation)
    dimensions = 1
    if get_origin(annotation) is Annotated:  # type: ignore[comparison-overlap]
        annotation, dimensions = get_args(annotation)
    scalar = get_args(get_args(annotation)[1])[0]
    return types.Array(numba.from_dtype(np.dtype(scalar)), dimensions, "C")


def define_constructor(owner: type[Opaque]) -> None:
    """Let compiled functions make records of a class, from its fields in their order."""
    kind = owner.record_type

    class Constructor(AbstractTemplate):
        key = owner

        def generic(self, args: Untyped, kws: Untyped) -> Untyped:
            wanted = [each for _, each in kind._fields]
            fits = not kws and len(args) == len(wanted)
            pairs = zip(args, wanted, strict=fits)
            if fits and all(self.context.can_convert(*pair) is not None for pair in pairs):
                return signature(kind, *args)
            return None

    infer_global(owner, types.Function(Constructor))

    @lower_builtin(owner, types.VarArg(types.Any))
    def lowered(context: Untyped, builder: Untyped, given: Untyped, args: Untyped) -> Untyped:
        return made_of(context, builder, kind, zip(args, given.args, strict=True))


def made_of(context: Untyped, builder: Untyped, kind: RecordType, given: Untyped) -> Untyped:
    """Emit the code that makes a record of some values, each with its type."""
    layout = context.data_model_manager[kind.get_data_type()].get_value_type()
    size = context.get_constant(types.uintp, context.get_abi_sizeof(layout))
    release = imp_dtor(context, builder.module, kind)
    held = context.nrt.meminfo_alloc_dtor(builder, size, release)
    place = builder.bitcast(context.nrt.meminfo_data(builder, held), layout.as_pointer())
    builder.store(cgutils.get_null_value(layout), place)
    record = cgutils.create_struct_proxy(kind.get_data_type())(context, builder, ref=place)
    for (name, wanted), (value, own) in zip(kind._fields, given, strict=True):
        field = context.cast(builder, value, own, wanted)
        context.nrt.incref(builder, wanted, field)
        setattr(record, name, field)
    made = cgutils.create_struct_proxy(kind)(context, builder)
    made.meminfo = held
    return imputils.impl_ret_new_ref(context, builder, kind, made._getvalue())


@intrinsic
def assemble(typing: Untyped, fields: Untyped) -> Untyped:
    """Make a record of its NamedTuple."""
    name = fields.instance_class.__qualname__.removesuffix(".Fields")
    module = __import__(fields.instance_class.__module__, fromlist=[name])
    kind = getattr(module, name).record_type

    def emitted(context: Untyped, builder: Untyped, given: Untyped, args: Untyped) -> Untyped:
        values = cgutils.unpack_tuple(builder, args[0])
        return made_of(context, builder, kind, zip(values, given.args[0], strict=True))

    return kind(fields), emitted


@intrinsic
def take_apart(typing: Untyped, record: Untyped) -> Untyped:
    """Return the NamedTuple of a record."""
    fields = types.BaseTuple.from_types([kind for _, kind in record._fields], record.owner.Fields)

    def emitted(context: Untyped, builder: Untyped, given: Untyped, args: Untyped) -> Untyped:
        values = structref._Utils(context, builder, record).get_data_struct(args[0])
        parts = [getattr(values, name) for name, _ in record._fields]
        made = context.make_tuple(builder, fields, parts)
        return imputils.impl_ret_borrowed(context, builder, fields, made)

    return fields(record), emitted


def assembled(fields: Untyped) -> Untyped:
    """Return the record of its NamedTuple."""
    return assemble(fields)  # type: ignore[call-arg]


def taken_apart(record: Untyped) -> Untyped:
    """Return the NamedTuple of a record."""
    return take_apart(record)  # type: ignore[call-arg]


BOTH_WAYS = assembled, taken_apart


def own(function: Untyped, owner: type[Opaque]) -> Untyped:
    """Compile a function for one class alone.

    Numba keeps all that a function was compiled for in one file, and imports every class that it
    names there whenever it reads the file.
    """
    copy = FunctionType(function.__code__, function.__globals__, function.__name__)
    place = owner.__module__.replace(".", "_")
    copy.__qualname__ = f"{function.__name__}_{place}_{owner.__name__}"
    return compiled(copy)


structref.register(RecordType)
structref.define_boxing(RecordType, Opaque)
