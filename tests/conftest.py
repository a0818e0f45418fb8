"""How every test of the suite runs."""

from hypothesis import HealthCheck, settings

# The same examples in every run, and no bound on time: a busy machine must not turn a test red.
settings.register_profile(
    "course", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("course")
