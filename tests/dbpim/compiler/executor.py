"""A chip without time: run a program of instruction set 2 in plain numpy, step by step.

It reads the fields of the packets alone, computes addresses as each core does, and refuses
(`ExecutionError`) what would be wrong or left to chance on a chip: reads of words that are not the
wanted ones, results that nobody or the wrong cores store, tiles and taps out of order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.image import pack_image, unpack_answer
from hwgen.dbpim.facts.instructions import INSTRUCTIONS, ROW_BITS, Opcode
from hwgen.dbpim.facts.program import AnswerPlan, Program, StepPlan
from hwgen.dbpim.facts.stream import Packet, decode_stream
from tests.dbpim.compiler.chip_state import ChipState, ExecutionError, Writes, tag_of
from tests.dbpim.compiler.execute_conv import run_conv
from tests.dbpim.compiler.execute_memory import run_load, run_store
from tests.dbpim.compiler.execute_simd import run_simd

__all__ = ["Execution", "ExecutionError", "execute"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What a run leaves.

    maps: layer name -> (images, H, W, channels), of the layers that the step list describes
    answers: of the first output, int32 or uint8, (images, height, width, channels); `maps` has all
    buffers: uint8, (cores, banks, bank words, C); logits: uint8, 4 bytes an entry
    spaces: bytes of image, scratch, answer and program; steps: what each step wrote
    """

    maps: dict[str, np.ndarray]
    answers: np.ndarray
    buffers: np.ndarray
    logits: np.ndarray
    spaces: dict[str, np.ndarray]
    steps: list[Writes]


def execute(program: Program, arch: Arch, images: np.ndarray, *, seed: int = 0) -> Execution:
    """Run a program on images (facts.images, height, width, channels); seed: of the garbage."""
    facts = program.facts
    if len(images) != facts.images:
        raise ValueError(f"the program runs {facts.images} images, got {len(images)}")
    chip = ChipState(arch, space_sizes(program), seed=seed)
    place_images(chip, program, images)
    maps = Maps(chip, facts.images)
    steps = []
    packets = decode_stream(program.image, arch)
    starts = [n for n, packet in enumerate(packets) if packet.opcode in INSTRUCTIONS]
    check_plans(facts.steps, [packets[start] for start in starts])
    for plan, start, end in zip(facts.steps, starts, [*starts[1:], len(packets)], strict=True):
        chip.begin(plan.name, plan.layer, plan.inputs)
        run_step(chip, packets[start], packets[start + 1 : end])
        maps.collect(plan, packets[start])
        steps.append(chip.writes)
    found = maps.finished()
    for name, fold in facts.folds.items():
        if name in found:
            assert found[name].shape[1:3] == fold.stored, f"{name} has {found[name].shape}"
            found[name] = np.array([fold.unfolded(each) for each in found[name]])
    found |= {plan.layer: read_answers(chip, plan) for plan in facts.answers}
    shape = (arch.cores, arch.banks, arch.bank_words, -1)
    return Execution(
        maps=found,
        answers=found[facts.answer.layer],
        buffers=chip.buffers.reshape(shape),
        logits=chip.logits,
        spaces=chip.spaces,
        steps=steps,
    )


def space_sizes(program: Program) -> dict[str, int]:
    """Return the bytes of each space."""
    facts = program.facts
    return {
        "image": facts.images * facts.image.stride,
        "scratch": facts.scratch_bytes,
        "answer": facts.answer_bytes,
        "program": len(program.image),
    }


def place_images(chip: ChipState, program: Program, images: np.ndarray) -> None:
    """Put program and images into the memory, as a host does."""
    plan = program.facts.image
    chip.spaces["program"], chip.space_tags["program"][:] = program.image, 0
    for number, image in enumerate(images):
        content = pack_image(image, plan, chip.arch)
        if len(content) > plan.stride:
            raise ExecutionError(f"an image has {len(content)} bytes, its stride {plan.stride}")
        place = slice(number * plan.stride, number * plan.stride + len(content))
        chip.spaces["image"][place] = np.frombuffer(content, np.uint8)
        chip.space_tags["image"][place] = 0


def check_plans(plans: Sequence[StepPlan], packets: Sequence[Packet]) -> None:
    """Refuse a step list that does not fit the instructions."""
    kinds = [plan.kind for plan in plans]
    given = [packet.opcode.name.lower() for packet in packets]
    if kinds != given:
        raise ExecutionError(f"the steps must be {given}, got {kinds}")
    if len({plan.name for plan in plans}) < len(plans):
        raise ExecutionError("steps must have different names")


def run_step(chip: ChipState, packet: Packet, followers: Sequence[Packet]) -> None:
    """Execute one instruction with the packets that follow it."""
    if packet.opcode is Opcode.CONV:
        run_conv(chip, packet, followers)
    elif packet.opcode is Opcode.SIMD:
        run_simd(chip, packet, followers)
    elif followers:
        chip.refuse(f"{followers[0].opcode.name} follows a {packet.opcode.name}")
    elif packet.opcode is Opcode.LOAD:
        run_load(chip, packet)
    elif packet.opcode is Opcode.STORE:
        run_store(chip, packet)


def read_answers(chip: ChipState, plan: AnswerPlan) -> np.ndarray:
    """Return an output in memory; every byte of them must have been stored."""
    found = []
    for number, offset in enumerate(plan.offsets):
        place = slice(offset, offset + plan.size)
        known = (chip.space_tags["answer"][place] >= 0).astype(np.uint8)
        if not (unpack_answer(known.tobytes(), plan, chip.arch).view(np.uint8) == 1).all():
            raise ExecutionError(f"answer {number} has bytes that no step has stored")
        found.append(unpack_answer(chip.spaces["answer"][place].tobytes(), plan, chip.arch))
    return np.array(found)


class Maps:
    """The maps of a run, assembled step by step from the buffers."""

    def __init__(self, chip: ChipState, images: int) -> None:
        self.chip, self.images = chip, images
        self.channels: dict[str, int] = {}
        self.pieces: dict[str, list[tuple[tuple[int, int, int], np.ndarray, np.ndarray]]] = {}

    def collect(self, plan: StepPlan, packet: Packet) -> None:
        """Read what a step has stored of a map, where its plan says that it is."""
        if plan.output is None:
            if self.chip.writes.cores:
                self.chip.refuse("it stores words, but its plan has no output")
            return
        if not plan.whole_words or packet.fields.get("window_pixels", 0) > 1:
            return
        # Images along x have one pixel each; an instruction may see them as one row.
        width = packet.fields["columns" if plan.kind == "load" else "output_width"]
        width = 1 if plan.output.image_columns else width
        first, count = plan.images
        sizes = (count, plan.rows[1] - plan.rows[0], width, plan.output.channel_words)
        image, y, x, word = np.indices(sizes)
        rows = image * plan.output.image_rows + y + plan.rows[0]
        columns = image * plan.output.image_columns + x
        data, seen, stored = self.copies(plan, rows, columns, word)
        if stored != self.enabled_bytes():
            self.chip.refuse("its plan does not say where all of its results are")
        shape = (*sizes[:3], -1)
        self.pieces.setdefault(plan.layer, []).append(
            ((first, plan.rows[0], 0), data.reshape(shape), seen.reshape(shape))
        )
        self.channels[plan.layer] = max(plan.filters, self.channels.get(plan.layer, 0))

    def enabled_bytes(self) -> int:
        """Return how many bytes the step stored, in all cores."""
        return sum(int(enable.sum()) for enable in self.chip.writes.enable)

    def copies(self, plan: StepPlan, rows, columns, words):
        """Return bytes of this step, which of them there are, and how often cores hold them."""
        chip, place = self.chip, plan.output
        data = np.zeros((*rows.shape, chip.arch.word), np.uint8)
        seen, stored = np.zeros(data.shape, bool), 0
        bank = (columns + chip.arch.bank_skew * rows) % chip.arch.banks
        here = ((rows << ROW_BITS) + columns << ROW_BITS) + words
        here, shifts = here[..., np.newaxis], set()
        for core, (first, count) in enumerate(zip(place.first, place.rows, strict=True)):
            address = place.base + (rows - first) * place.row_pitch
            address = address + columns // chip.arch.banks * place.channel_words + words
            held = (rows >= first) & (rows < first + count)
            index = np.where(held, bank * chip.arch.bank_words + address, 0)
            tags = chip.tags[core][index]
            # The plan may count rows and columns from another image than the instruction does.
            ours = held[..., np.newaxis] & (tags >= 0) & (tags >> 3 * ROW_BITS == chip.step)
            shifts |= set(np.unique((tags - tag_of(chip.step, 0, 0, 0) - here)[ours]).tolist())
            values = chip.buffers[core][index]
            if (ours & seen & (values != data)).any():
                chip.refuse(f"core {core} holds other bytes of the map than another core")
            data[ours] = values[ours]
            seen |= ours
            stored += int(ours.sum())
        if len(shifts) > 1:
            chip.refuse("its plan has its results at other rows, columns or words")
        return data, seen, stored + self.unknown_bytes()

    def unknown_bytes(self) -> int:
        """Return how many stored bytes are unknown: they belong to no channel."""
        chip, count = self.chip, 0
        for core, bank, address, enable in zip(
            *(getattr(chip.writes, name) for name in ("cores", "banks", "addresses", "enable")),
            strict=True,
        ):
            tags = chip.tags[core[0]][bank * chip.arch.bank_words + address]
            count += int(((tags < -1) & enable).sum())
        return count

    def finished(self) -> dict[str, np.ndarray]:
        """Return the whole maps; every byte of a channel must have been stored."""
        found = {}
        for layer, pieces in self.pieces.items():
            height = max(at[1] + data.shape[1] for at, data, _ in pieces)
            width, depth = (max(data.shape[n] for _, data, _ in pieces) for n in (2, 3))
            whole = np.zeros((self.images, height, width, depth), np.uint8)
            there = np.zeros(whole.shape, bool)
            for (image, row, _), data, seen in pieces:
                part = np.s_[image : image + data.shape[0], row : row + data.shape[1]]
                if (there[part] & seen & (whole[part] != data)).any():
                    raise ExecutionError(f"two steps give other bytes of the map of {layer}")
                whole[part] = np.where(seen, data, whole[part])
                there[part] |= seen
            channels = self.channels[layer]
            if not there[..., :channels].all():
                image, y, x, c = np.argwhere(~there[..., :channels])[0]
                where = f"image {image}, row {y}, column {x}, channel {c}"
                raise ExecutionError(f"no step stores {where} of the map of {layer}")
            found[layer] = whole[..., :channels]
        return found
