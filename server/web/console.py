"""Pages."""

from sanic import Blueprint

blueprint = Blueprint("console")
