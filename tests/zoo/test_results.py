"""Float networks of torch: exported, quantized, imported, compared with onnxruntime, simulated."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.zoo.results import Row, arch_of, row_of, table
from tests.zoo.trained import digits

CLASSES_EQUAL, SAME_INPUTS_EQUAL = 0.99, 0.999


def check(row: Row) -> None:
    """Compare with what onnxruntime gives."""
    assert row.top_class is None or row.top_class >= CLASSES_EQUAL
    assert row.accuracy is None or row.accuracy > 0.9
    assert row.same_inputs_largest <= 1 and row.same_inputs_equal > SAME_INPUTS_EQUAL
    assert row.network in table([row])


def test_a_chain_of_exporters_agrees_with_onnxruntime(tmp_path: Path) -> None:
    """Without RTL; the network of least work."""
    case = digits("autoencoder")
    row = row_of(
        "autoencoder", case, "script", folder=tmp_path, arch=arch_of(tmp_path), simulated=0
    )
    check(row)
    assert row.rtl_mismatches is None


@pytest.mark.long
@pytest.mark.parametrize("exporter", ["script", "dynamo"])
@pytest.mark.parametrize("name", ["autoencoder", "mobilenet_v2", "vgg"])
def test_from_torch_to_rtl(name: str, exporter: str, tmp_path: Path) -> None:
    if exporter == "dynamo":
        pytest.importorskip("onnxscript")
    row = row_of(name, digits(name), exporter, folder=tmp_path, arch=arch_of(tmp_path))
    check(row)
    assert (row.rtl_mismatches, row.cycles_equal) == (0, True)
