"""What tests and notebooks that are run as tests have in common."""

import tests.support.ports  # noqa: F401
