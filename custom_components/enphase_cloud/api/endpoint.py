"""What an operation of the API is: a row of the table in `endpoints`."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
import re
from typing import Any, Final, Literal

from .access import Access

type Method = Literal["GET", "POST", "PUT"]

_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint[DocumentT]:
    """An operation: budgets and errors know it by its name.

    `path` is relative to /api/v4/systems. `query` and `body` are what each request
    carries; `page_size` is set where the answer comes in pages.
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
        """Whether requests change something; those with a body of their own search."""
        return self.method != "GET" and self.body is None

    def path_of(self, **parameters: int | str) -> str:
        """Return the path with its parameters filled in.

        Raises ValueError where a parameter is not an id or a serial number.
        """
        if not all(_PARAMETER.fullmatch(str(value)) for value in parameters.values()):
            raise ValueError("An id or serial number holds only letters and digits")
        return self.path.format_map(parameters)

    def read(self, document: Any) -> DocumentT:
        """Return what an answer says; the answer itself where there is no model.

        Raises MalformedResponseError where the model cannot read it.
        """
        answer: DocumentT = document
        return answer if self.model is None else self.model(document)
