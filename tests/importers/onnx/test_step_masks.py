"""The masks of a step, drawn: it becomes a causal decoder where it answers as one, or is refused.

Both are judged by onnxruntime, which plays the step call by call.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from hwgen.errors import FormatError
from hwgen.importers.onnx.past import whole_of

POSITIONS, WIDTH = 6, 8
TOKENS = np.random.default_rng(2).normal(size=(POSITIONS, WIDTH)).astype(np.float32)
PLACE = "place = Identity(position)"
KEYS = f"keys = Constant<value = int64[{POSITIONS}] {{{', '.join(map(str, range(POSITIONS)))}}}>()"
BEFORE = "met = LessOrEqual(keys, position)"
ADDED = "mask = Where(met, zero, low) masked = Add(scaled, mask)"
CHOSEN = "masked = Where(met, scaled, low)"
WHERE = """
  here = Equal(keys, place) sides = Constant<value_ints = [1, 1, -1, 1]>()
  column = Reshape(here, sides) nk = Where(column, k, pk) nv = Where(column, v, pv)
"""
SCATTER = """
  sides = Constant<value_ints = [1, 1, 1, 1]>() wide = Constant<value_ints = [1, 1, 1, 8]>()
  one_place = Reshape(place, sides) places = Expand(one_place, wide)
  nk = ScatterElements<axis = 2>(pk, places, k) nv = ScatterElements<axis = 2>(pv, places, v)
"""
GROWN = "nk = Concat<axis = 2>(pk, k) nv = Concat<axis = 2>(pv, v)"
GROWING = "one = Constant<value_int = 1>() end = Add(place_0, one) keys = Range(zero_0, end, one)"


def step(mask: str, *, place: str = PLACE, cache: str = WHERE, by: str = ADDED) -> onnx.ModelProto:
    """Return a block on one token; mask: makes `met`, and more, of `keys` and `position`."""
    rows = "past" if cache == GROWN else POSITIONS
    after = "grown" if cache == GROWN else POSITIONS
    keys = (
        KEYS
        if cache != GROWN
        else f"""
      none = Constant<value_ints = [0]>() place_0 = Squeeze(position, none)
      zero_0 = Constant<value_int = 0>() {GROWING}
    """
    )
    text = f"""
      <ir_version: 8, opset_import: ["": 17]>
      step (float[1, 1, 8] x, int64[1] position, float[1, 1, {rows}, 8] pk,
            float[1, 1, {rows}, 8] pv)
          => (float[1, 1, 8] y, float[1, 1, {after}, 8] nk, float[1, 1, {after}, 8] nv) {{
        heads = Constant<value_ints = [1]>()
        qx = MatMul(x, wq) kx = MatMul(x, wk) vx = MatMul(x, wv)
        q = Unsqueeze(qx, heads) k = Unsqueeze(kx, heads) v = Unsqueeze(vx, heads)
        {keys} {place} {cache}
        turned = Transpose<perm = [0, 1, 3, 2]>(nk) scores = MatMul(q, turned)
        scaled = Mul(scores, scale)
        {mask} {by}
        shares = Softmax<axis = -1>(masked) read = MatMul(shares, nv)
        flat = Squeeze(read, heads) out = MatMul(flat, wo) y = Add(x, out)
      }}
    """
    model = parser.parse_model(text)
    random = np.random.default_rng(1)
    stored = {f"w{each}": random.normal(size=(WIDTH, WIDTH)) * 0.5 for each in "qkvo"}
    stored |= {"scale": 0.35, "zero": 0.0, "low": -1e9, "slope": 0.5}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.array(each, np.float32), name) for name, each in stored.items()
    )
    return model


def played(model: onnx.ModelProto) -> np.ndarray:
    """Return what onnxruntime answers call by call, (positions, channels)."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    asked = {each.name for each in session.get_inputs()}
    rows = next(each.shape[2] for each in session.get_inputs() if each.name == "pk")
    held = [np.zeros((1, 1, 0 if rows == "past" else rows, WIDTH), np.float32)] * 2
    found = []
    for position, token in enumerate(TOKENS):
        given = {"x": token[None, None], "position": np.array([position]), "pk": held[0]}
        given["pv"] = held[1]
        answer, *held = session.run(None, {name: given[name] for name in asked})
        found.append(answer.ravel())
    return np.array(found)


def constant(name: str, value: int) -> str:
    return f"{name} = Constant<value_ints = [{value}]>()"


def drawn_mask(random: np.random.Generator) -> str:
    """Return a mask of a step, as a text."""
    size = int(random.integers(1, POSITIONS + 2))
    kinds = {
        "causal": BEFORE,
        "none": "met = LessOrEqual(keys, keys)",
        "window": f"{constant('size', size)} first = Sub(position, size)"
        f" {BEFORE.replace('met', 'before')} near = Greater(keys, first) met = And(before, near)",
        "sink": f"{constant('size', size)} {constant('sinks', 1)} first = Sub(position, size)"
        f" {BEFORE.replace('met', 'before')} near = Greater(keys, first) sink = Less(keys, sinks)"
        " kept = Or(near, sink) met = And(before, kept)",
        "later": f"{constant('size', size - 1)} last = Add(position, size)"
        " met = LessOrEqual(keys, last)",
        "strict": f"{constant('size', 0)} first = Equal(keys, size)"
        " behind = Less(keys, position) met = Or(behind, first)",
    }
    return kinds[str(random.choice([*kinds]))]


ALIBI = "away = Sub(keys, position) far = Cast<to = 1>(away) bias = Mul(far, slope)"
LEVEL = "far = Cast<to = 1>(position) bias = Mul(far, slope)"
BIASED = "mask = Where(met, zero, low) both = Add(mask, bias) masked = Add(scaled, both)"
BIASED_FIRST = "mask = Where(met, zero, low) biased = Add(scaled, bias) masked = Add(biased, mask)"


def drawn_step(seed: int) -> onnx.ModelProto:
    """Return a step with a drawn mask, cache and place of its rows."""
    random = np.random.default_rng(seed)
    mask, by = drawn_mask(random), str(random.choice([ADDED, CHOSEN]))
    if random.random() < 0.3:
        mask = f"{mask} {random.choice([ALIBI, LEVEL])}"
        by = str(random.choice([BIASED, BIASED_FIRST]))
    place, cache = PLACE, str(random.choice([WHERE, SCATTER, GROWN]))
    if cache != GROWN and random.random() < 0.4:
        rows = int(random.integers(2, POSITIONS + 2))
        place = f"{constant('rows', rows)} place = Mod(position, rows)"
    return step(mask, place=place, cache=cache, by=by)


CAUSAL = played(step(BEFORE))


def judged(model: onnx.ModelProto) -> bool:
    """Hold that a step is a causal decoder where it answers as one; return whether it does."""
    causal = bool(np.abs(played(model) - CAUSAL).max() < 1e-4)
    try:
        whole = whole_of(model, POSITIONS, source="step.onnx")
    except FormatError as error:
        assert not causal, error
        return False
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    (found,) = session.run(["y"], {"x": TOKENS[None]})
    assert causal and np.abs(found[0] - CAUSAL).max() < 1e-4
    return True


@pytest.mark.promise("a step whose mask is not causal in every call is refused")
def test_drawn_masks_are_causal_or_refused() -> None:
    found = [judged(drawn_step(seed)) for seed in range(40)]
    assert 8 < sum(found) < 32


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (step(f"{BEFORE} {ALIBI}", by=BIASED_FIRST), r"node both? \(Add\)|node masked \(Add\)"),
        (step(BEFORE, place=f"{constant('rows', 4)} place = Mod(position, rows)"), "in call 4"),
        (step("met = LessOrEqual(keys, keys)"), "behind a causal mask: .* in call 0"),
        (step(BEFORE, by="masked = Identity(scaled)"), r"node masked \(Identity\), which"),
    ],
)
def test_a_refusal_says_where(model: onnx.ModelProto, wanted: str) -> None:
    with pytest.raises(FormatError, match=wanted):
        whole_of(model, POSITIONS, source="step.onnx")


@pytest.mark.parametrize("low", [-1e4, -np.inf, float(np.finfo(np.float32).min)])
def test_a_mask_may_be_as_low_as_exporters_write_it(low: float) -> None:
    model = step(BEFORE)
    for each in model.graph.initializer:
        if each.name == "low":
            each.CopyFrom(numpy_helper.from_array(np.array(low, np.float32), "low"))
    assert judged(model)


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("float", "masked = Add(scaled, given)"),
        ("bool", "masked = Where(given, scaled, low)"),
        ("bool", "masked = Where(given, low, scaled)"),
        (
            "int64",
            "met = Cast<to = 9>(given) mask = Where(met, zero, low) masked = Add(scaled, mask)",
        ),
    ],
)
def test_a_mask_that_is_an_input_is_the_causal_one(kind: str, by: str) -> None:
    model = step("", by=by)
    number = {"float": 1, "bool": 9, "int64": 7}[kind]
    model.graph.input.append(
        onnx.helper.make_tensor_value_info("given", number, [1, 1, 1, POSITIONS])
    )
    whole = whole_of(model, POSITIONS, source="step.onnx")
    (found,) = onnxruntime.InferenceSession(whole.SerializeToString()).run(
        ["y"], {"x": TOKENS[None]}
    )
    assert np.abs(found[0] - CAUSAL).max() < 1e-4
