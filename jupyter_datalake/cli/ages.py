"""Ages on the command line."""

from __future__ import annotations

import click

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.durations import parse_age


class Age(click.ParamType[float]):
    """A duration such as ``14d``; its value is seconds."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or fail as click does."""
        try:
            return value if isinstance(value, float) else parse_age(str(value))
        except InvalidInputError as error:
            self.fail(error.message, param, ctx)


AGE = Age()
