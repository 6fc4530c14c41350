"""What the builders' tests share with the others."""

from tests.conftest import prepared_data  # noqa: F401
