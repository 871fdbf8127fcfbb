"""A library about short messages. It has never heard of the server."""

from sms.reading import Reading, read

__all__ = ["Reading", "read"]
