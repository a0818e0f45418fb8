"""What tests and notebooks that are run as tests have in common."""

import tests.support.kernel_ports  # noqa: F401
