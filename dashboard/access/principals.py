"""Whose a request is: the guard writes it into the request's scope, handlers read it there."""

from starlette.types import Scope

from dashboard.core.principal import NOBODY, Principal

PRINCIPAL = "livetape.principal"
"""Where it stands in an ASGI scope."""


def principal_of(scope: Scope) -> Principal:
    """Tell who a request is from: nobody, where no guard has looked at it."""
    return scope.get(PRINCIPAL, NOBODY)
