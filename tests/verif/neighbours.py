"""Which benches of a run of the tests can share one simulation."""

from collections.abc import Callable, Sequence

import pytest


def modules_beside(
    request: pytest.FixtureRequest, bench: Callable[[pytest.Function], str | None]
) -> Sequence[str]:
    """Return the modules of benches that may run in the simulation of a test.

    Those that other forms of the same test ask for: `bench` returns the module of a form whose
    executable and settings are those of this one, None for another. With waves a bench is alone.
    """
    if request.config.getoption("--waves"):
        return ()
    forms = [
        item
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.node.path
        and item.originalname == request.node.originalname
    ]
    return [module for module in map(bench, forms) if module is not None]
