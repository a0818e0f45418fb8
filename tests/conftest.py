"""How every test of the suite runs."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, and no bound on time: a busy machine must not turn a test red.
settings.register_profile(
    "course", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("course")


def find_program(name: str, *others: str, advice: str = "") -> str:
    """Return where a program is. Without it skip the test, or fail on the Linux machines of the CI."""
    for each in (name, *others):
        if found := shutil.which(each):
            return found
    sentence = f"{name} is not on the PATH; on Debian and Ubuntu: sudo apt install {name}{advice}"
    if os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(sentence)
    pytest.skip(sentence)


def has_browser() -> bool:
    """Return whether the tests that need a browser will find one."""
    chosen = os.environ.get("WSLAB_CHROMIUM")
    return bool(chosen or shutil.which("chromium") or shutil.which("google-chrome"))


@pytest.fixture(scope="session")
def tshark() -> str:
    """Where tshark is, the second opinion on captures."""
    return find_program("tshark")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is, the browser that lessons are opened in: in WSLAB_CHROMIUM, or on the PATH."""
    advice = "; elsewhere: set WSLAB_CHROMIUM to the program of an installed Chromium or Chrome"
    if chosen := os.environ.get("WSLAB_CHROMIUM"):
        return shutil.which(chosen) or pytest.fail(f"WSLAB_CHROMIUM names no program: {chosen}")
    return find_program("chromium", "google-chrome", advice=advice)


@pytest.fixture(scope="session")
def reading_edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the reading edition, built from nothing, with warnings as errors."""
    from tools.site import build

    folder = tmp_path_factory.mktemp("site")
    assert build(folder / "build", folder / "out") == 0
    return folder / "out"
