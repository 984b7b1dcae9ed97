"""Errors of live sessions that are not the client's."""

from ..api import EnphaseCloudError


class StoppedError(EnphaseCloudError):
    """A session was stopped before its first stream was open."""

    def __init__(self) -> None:
        """Set the message."""
        super().__init__("The live session was stopped")


class NoStreamLeftError(EnphaseCloudError):
    """The user's limit of live streams of this month is reached."""

    def __init__(self, limit: int) -> None:
        """Keep the limit."""
        super().__init__("The live streams of this month are used up")
        self.limit = limit
