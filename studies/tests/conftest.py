"""The command line as the tests of the product run it."""

from tests.cli.conftest import hwgen

__all__ = ["hwgen"]
