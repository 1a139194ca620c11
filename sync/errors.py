"""The one kind of error that domain code raises: a stable dotted code and named details.

Knows no HTTP: the table from code to status is in server.http.problems.
"""

from typing import Any


class Problem(Exception):
    """Something a caller did or met, with a code that clients may rely on.

    `details` are JSON values, added to the answer as they are.
    """

    def __init__(self, code: str, message: str = "", **details: Any) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.details = details
