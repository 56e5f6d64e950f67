"""How the weights of a layer lie on crossbars."""

from hwgen.spec.crossbar.network import CrossbarLayer


def tiles_of(layer: CrossbarLayer, side: int, *, strict: bool) -> tuple[int, int, int]:
    """Return R, RT and CT of one copy of the weights.

    Strict: small groups of a convolution stand on the diagonal of a crossbar, so many as fit.
    """
    if not layer.has_weights:
        return 0, 0, 0
    if not strict or layer.groups == 1:
        rows = layer.kernel**2 * layer.in_channels
        return rows, -(-rows // side), -(-layer.out_channels // side)
    rows = layer.kernel**2 * layer.in_channels // layer.groups
    columns = layer.out_channels // layer.groups
    packed = min(side // rows, side // columns, layer.groups)
    if packed < 1:
        return rows, -(-rows // side), layer.groups * -(-columns // side)
    return packed * rows, 1, -(-layer.groups // packed)
