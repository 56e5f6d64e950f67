"""The exception of readers for one node."""


class RefusedError(Exception):
    """A node that cannot be read as it is used: `what` must be `allowed`, got `given`."""

    def __init__(self, what: str, allowed: object, given: object) -> None:
        super().__init__(f"{what} must be {allowed}, got {given}")
        self.what, self.allowed, self.given = what, str(allowed), str(given)
