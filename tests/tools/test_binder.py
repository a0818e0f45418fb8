"""Binder: what repo2docker makes of this repository, read from the Dockerfile that it would build."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
USER = ["--user-id", "1000", "--user-name", "jovyan"]  # as on Binder, whoever runs the test


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """What `jupyter-repo2docker --no-build` prints. It needs no Docker."""
    if sys.platform == "win32":
        pytest.skip("repo2docker does not run on Windows")
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", *USER, str(ROOT)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def unescaped(text: str) -> str:
    """Return a Dockerfile with the names of copied files as they were: repo2docker writes "." as "-2e"."""
    return re.sub(r"-([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), text)


def test_the_environment_is_made_of_environment_yml_with_its_python(dockerfile: str) -> None:
    wanted = re.search(r"^  - python=(3\.\d+)$", (ROOT / "environment.yml").read_text("utf-8"), re.MULTILINE)
    assert wanted
    assert re.search(r"^FROM \S*buildpack-deps:", dockerfile, re.MULTILINE)
    assert f"/environment.py-{wanted[1]}-linux-" in unescaped(dockerfile)
    assert '${MAMBA_EXE} env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in dockerfile


def test_the_repository_is_there_before_it_is_installed(dockerfile: str) -> None:
    # environment.yml installs this folder (-e .) in the versions of requirements.txt: it reads both.
    assert "- -e ." in (ROOT / "environment.yml").read_text("utf-8")
    copied = dockerfile.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    assert copied < dockerfile.index('--file "environment.yml"') < dockerfile.index("\nENTRYPOINT ")


def test_the_link_in_the_readme_opens_a_lesson_that_is_there() -> None:
    [link] = re.findall(r"https://mybinder\.org/\S+", (ROOT / "README.md").read_text("utf-8"))
    found = re.search(r"\?urlpath=lab/tree/(.+\.ipynb)$", link)
    assert found
    assert (ROOT / found[1]).exists()
