"""Errors of live data that the client does not know."""

from ..api import EnphaseCloudError


class StoppedError(EnphaseCloudError):
    """A session was stopped before its first stream was open."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("It was stopped")


class NoStreamLeftError(EnphaseCloudError):
    """The user does not want to pay for another stream this month."""

    def __init__(self, limit: int) -> None:
        """Keep how many streams the user wants to pay for."""
        super().__init__("The live streams of this month are used up")
        self.limit = limit
