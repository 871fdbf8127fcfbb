from reviews.conftest import hall, phone  # noqa: F401
