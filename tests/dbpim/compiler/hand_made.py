"""Programs written by hand, instruction by instruction, for the tests of the executor."""

from collections.abc import Iterable

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import EVERY_WORD, VERSION, Opcode, Space, core_count
from hwgen.dbpim.facts.program import (
    AnswerPlan,
    ImagePlan,
    MemoryPlace,
    Placement,
    Program,
    ProgramFacts,
    StepPlan,
)
from hwgen.dbpim.facts.stream import encode_header, header_beats

Fields = dict[str, int]


def placement(arch: Arch, **given) -> Placement:
    """Return a map of one word a pixel and of up to M columns, which all cores keep whole."""
    whole = {"base": 0, "row_pitch": 1, "channel_words": 1, "image_rows": 4, "image_columns": 0}
    rows = given.pop("rows", [4] * arch.cores)
    first = given.pop("first", [0] * arch.cores)
    return Placement(**{**whole, "first": first, "rows": rows, **given})


def core_fields(**columns: Iterable[int]) -> Fields:
    """Return fields of cores: name=(value of core 0, of core 1, ...)."""
    return {f"{name}_{core}": int(v) for name, vs in columns.items() for core, v in enumerate(vs)}


def output_fields(place: Placement) -> Fields:
    """Return the fields of an output map."""
    return {
        "output_base": place.base,
        "output_row_pitch": place.row_pitch,
        "output_channel_words": place.channel_words,
        **core_fields(keep_first=place.first, keep_rows=place.rows),
    }


def map_fields(place: Placement, name: str) -> Fields:
    """Return the fields of a map that a step reads: input or second."""
    return {
        f"{name}_base": place.base,
        f"{name}_row_pitch": place.row_pitch,
        f"{name}_channel_words": place.channel_words,
        f"{name}_image_rows": place.image_rows,
        f"{name}_image_columns": place.image_columns,
        **core_fields(**{f"{name}_first": place.first}),
    }


class Stream:
    """A program in the making; images are (height, width, channels) of packed pixels."""

    def __init__(self, arch: Arch, shape: tuple[int, int, int]) -> None:
        self.arch, self.shape = arch, shape
        self.parts: list[bytes | Fields] = []
        self.steps: list[StepPlan] = []

    def step(self, opcode: Opcode, fields: Fields, plan: dict) -> None:
        """Append an instruction; missing fields are 0."""
        blank = {
            field.name: 0
            for field in self.arch.packets[opcode]
            if core_count(field.name) <= self.arch.cores and field.name != "opcode"
        }
        whole = {**blank, **fields}
        later = opcode is Opcode.LOAD
        self.parts.append(whole if later else encode_header(opcode, whole, self.arch))
        facts = {
            "name": f"step_{len(self.steps)}",
            "layer": f"layer_{len(self.steps)}",
            "fused": [],
            "inputs": ["input"],
            "kind": opcode.name.lower(),
            "op": opcode.name.lower(),
            "images": (0, 1),
            "rows": (0, self.shape[0]),
            "whole_words": True,
            "output": None,
            "memory": None,
            **dict.fromkeys(("sets", "share", "filter_groups", "chunks", "tiles"), 1),
            **dict.fromkeys(("rows_loaded", "weight_rows", "k", "positions"), 1),
            "kept": 1.0,
            "filters": self.shape[2],
        }
        self.steps.append(StepPlan(**{**facts, **plan}))

    def load(self, place: Placement, **changes: int) -> None:
        """Append the LOAD of the image."""
        height, width, _ = self.shape
        size = changes.get("pixel_bytes", 1)
        fields = {
            "beats": -(-height * width * size // self.arch.port_bytes),
            "pixel_bytes": 1,
            "pixel_channels": 1,
            "window_pixels": 1,
            "window_stride": 1,
            "memory_columns": width,
            "rows": height,
            "columns": width,
            **output_fields(place),
            **changes,
        }
        self.step(Opcode.LOAD, fields, {"layer": "input", "output": place, "inputs": []})

    def finish(self, place: MemoryPlace, *, words: int, raw: bool = False) -> None:
        """Append STORE and END."""
        store = {"words": words, "space": Space[place.space.upper()]}
        self.step(Opcode.STORE, store | EVERY_WORD, {"memory": place, "op": "store"})
        self.step(Opcode.END, {}, {})

    def program(self, answer: AnswerPlan, **changes) -> Program:
        """Return the program, with segments that fit."""
        begin = {
            "version": VERSION,
            "architecture": self.arch.id_word,
            "network": 0,
            "positions": 0,
        }
        port = self.arch.port_bytes
        sizes = [
            header_beats(Opcode.LOAD, self.arch) if isinstance(part, dict) else len(part) // port
            for part in self.parts
        ]
        loads = [n for n, part in enumerate(self.parts) if isinstance(part, dict)]
        content = encode_header(Opcode.BEGIN, begin, self.arch)
        for number, part in enumerate(self.parts):
            if isinstance(part, dict):
                end = min((n + 1 for n in loads if n > number), default=len(sizes))
                segment = {"segment_beats": sum(sizes[number + 1 : end])}
                content += encode_header(Opcode.LOAD, {**part, **segment}, self.arch)
            else:
                content += part
        size = int(np.prod(self.shape))
        facts = {
            "format": "hwgen.dbpim.program",
            "version": 4,
            "network": "0" * 64,
            "network_name": "by hand",
            "architecture": self.arch.digest,
            "architecture_name": self.arch.name,
            "images": 1,
            "image": ImagePlan(shape=self.shape, pixel_bytes=1, stride=-(-size // 64) * 64),
            "answer": answer,
            "scratch_bytes": 64,
            "steps": self.steps,
        }
        return Program(
            facts=ProgramFacts(**{**facts, **changes}), image=np.frombuffer(content, np.uint8)
        )
