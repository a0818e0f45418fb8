"""Every test that asks for a `lesson` runs once for each notebook of the course."""

import pytest

from tools.course import lessons


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise over the notebooks; say why there is nothing to test as long as there is none."""
    if "lesson" not in metafunc.fixturenames:
        return
    found = [pytest.param(each, id=each.path.stem) for each in lessons()]
    none = pytest.param(None, marks=pytest.mark.skip(reason="notebooks/ holds no notebook yet"))
    metafunc.parametrize("lesson", found or [none])
