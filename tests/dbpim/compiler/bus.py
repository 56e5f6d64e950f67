"""Where the results of a step go: the own slice of a core, the slices of all keepers, logits."""

import numpy as np

from hwgen.dbpim.facts.instructions import ROW_BITS, of_core
from tests.dbpim.compiler.chip_state import ChipState, Words, tag_of


def store(chip: ChipState, fields: dict[str, int], core: int | None, results: Words) -> None:
    """Store words of a core in every core that keeps their rows; core None: words of a LOAD."""
    cores = range(chip.arch.cores)
    kept = {each: window(fields, "keep", each, results.rows) for each in cores}
    own = np.zeros(len(results.rows), bool)
    if core is not None:
        own = window(fields, "private", core, results.rows)
        for other in cores:
            wrong = own & (~kept[core] if other == core else kept[other])
            if wrong.any():
                row = int(results.rows[wrong][0])
                keeps = "does not keep it" if other == core else f"core {other} keeps it too"
                chip.refuse(f"core {core} writes row {row} as private, but {keeps}")
    lost = ~np.any([kept[each] for each in cores], axis=0)
    if lost.any():
        chip.refuse(f"no core keeps row {results.rows[lost][0]} of the results")
    for keeper in cores:
        store_in(chip, fields, keeper, results, kept[keeper] & ~(own & (keeper != core)))


def window(fields: dict[str, int], name: str, core: int, rows: np.ndarray) -> np.ndarray:
    """Return which rows lie in a window of a core."""
    first = fields[of_core(f"{name}_first", core)]
    return (rows >= first) & (rows < first + fields[of_core(f"{name}_rows", core)])


def store_in(
    chip: ChipState, fields: dict[str, int], keeper: int, results: Words, chosen: np.ndarray
) -> None:
    """Store the chosen words in the slice of one core."""
    if not chosen.any():
        return
    arch, pitch, size = chip.arch, fields["output_row_pitch"], fields["output_channel_words"]
    rows, columns, words = (each[chosen] for each in (results.rows, results.columns, results.words))
    enable, data = results.enable[chosen], results.data[chosen]
    check_inside(chip, keeper, rows=rows, columns=columns, words=words, size=size, pitch=pitch)
    bank = (columns + arch.bank_skew * rows) % arch.banks
    first = fields[of_core("keep_first", keeper)]
    address = fields["output_base"] + (rows - first) * pitch + columns // arch.banks * size + words
    if address.max() >= arch.bank_words:
        chip.refuse(f"core {keeper} writes row {rows.max()} beyond its buffer")
    place = bank * arch.bank_words + address
    if chip.touched[keeper, place].any():
        row, column = (each[chip.touched[keeper, place]][0] for each in (rows, columns))
        chip.refuse(f"core {keeper} stores row {row}, column {column} over words that it reads")
    tags = tag_of(chip.step, rows, columns, words)[:, np.newaxis]
    old = chip.tags[keeper][place]
    again = (np.where(old >= 0, old >> 3 * ROW_BITS, -1) == chip.step) & enable
    order = np.sort((place[:, np.newaxis] * enable.shape[1] + np.arange(enable.shape[1]))[enable])
    if again.any() or (np.diff(order) == 0).any():
        chip.refuse(f"core {keeper} stores a byte of row {rows.min()} to {rows.max()} twice")
    new = (
        tags if results.tags is None else np.where(results.tags[chosen], results.tags[chosen], tags)
    )
    # Words may share a place where their enabled bytes differ: store byte by byte.
    at, byte = np.nonzero(enable)
    chip.tags[keeper][place[at], byte] = np.broadcast_to(new, old.shape)[at, byte]
    chip.buffers[keeper][place[at], byte] = data[at, byte]
    after = chip.tags[keeper][place]
    whole = ((after ^ tags) == 0).all(axis=1)
    chip.word_tags[keeper, place] = np.where(whole, tags[:, 0], -1)
    record(chip, keeper, (bank, address, rows, columns, words, enable, data))


def record(chip: ChipState, keeper: int, columns: tuple[np.ndarray, ...]) -> None:
    """Add words to the record of the step."""
    names = ("banks", "addresses", "rows", "columns", "words", "enable", "data")
    chip.writes.cores.append(np.full(len(columns[0]), keeper))
    for name, values in zip(names, columns, strict=True):
        getattr(chip.writes, name).append(values)


def check_inside(chip: ChipState, keeper: int, *, rows, columns, words, size, pitch) -> None:
    """Refuse words beside their pixel, or beside their row."""
    if words.max() >= size:
        chip.refuse(f"core {keeper} stores word {words.max()} of a pixel of {size} words")
    if max(rows.max(), columns.max()) >> ROW_BITS:
        chip.refuse(f"core {keeper} stores row {rows.max()}, column {columns.max()}")
    last = int((columns // chip.arch.banks * size + words).max())
    if last >= pitch:
        chip.refuse(f"core {keeper} stores word {last} of a row of {pitch} words a bank")


def store_logits(chip: ChipState, index: np.ndarray, data: np.ndarray, tags: np.ndarray) -> None:
    """Store bytes of the logit buffer; index: byte addresses; each once in a step."""
    if len(index) and index.max() >= len(chip.logits):
        chip.refuse(f"it writes entry {index.max() // 4} of {len(chip.logits) // 4} logits")
    old = chip.logit_tags[index]
    again = np.where(old >= 0, old >> 3 * ROW_BITS, -1) == chip.step
    if again.any() or len(np.unique(index)) < len(index):
        chip.refuse("it writes a byte of the logit buffer twice")
    chip.logits[index], chip.logit_tags[index] = data, tags
    chip.writes.logits |= dict(zip(index.tolist(), data.tolist(), strict=True))
