"""A library about short messages. It has never heard of the server."""
