"""Pages."""

from sanic import Blueprint

blueprint = Blueprint("citizen")
