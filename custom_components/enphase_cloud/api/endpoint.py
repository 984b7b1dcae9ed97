"""The description of one API operation: a row of the table in `endpoints`."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
import re
from typing import Any, Final, Literal

from .access import Access

type Method = Literal["GET", "POST", "PUT"]

_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint[DocumentT]:
    """One API operation.

    Gates and errors refer to it by `name`. `path` is relative to /api/v4/systems. Each
    request carries `query` and `body`. `page_size` is set if the response is one page
    of a list. `model` reads the response; without it, the response is parsed JSON.
    """

    name: str
    path: str
    access: Access
    model: Callable[[Any], DocumentT] | None = None
    _: KW_ONLY
    method: Method = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    page_size: int | None = None

    @property
    def is_write(self) -> bool:
        """Whether a request changes something. A `body` is that of a search."""
        return self.method != "GET" and self.body is None

    def path_of(self, **parameters: int | str) -> str:
        """Return the path with its parameters filled in.

        Raises ValueError if a parameter is not an id or a serial number.
        """
        if not all(_PARAMETER.fullmatch(str(value)) for value in parameters.values()):
            raise ValueError("An id or serial number has only letters, digits, - and _")
        return self.path.format_map(parameters)

    def read(self, document: Any) -> DocumentT:
        """Return the model of a JSON document; the document itself without a model.

        Raises MalformedResponseError if the model cannot read it.
        """
        unread: DocumentT = document
        return unread if self.model is None else self.model(document)
