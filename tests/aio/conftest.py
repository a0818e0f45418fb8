"""What tests of connections are given."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

import wslab
from wslab.masking import LONG_PAYLOAD


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, made by the openssl program."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += [
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        str(path),
        "-out",
        str(path),
    ]
    try:
        made = subprocess.run(
            [*command[:-1], str(path) + ".crt"], capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        pytest.skip("no openssl program here")
    if made.returncode:
        pytest.skip("this openssl program makes no certificate")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def kosoku() -> Any:
    """Autobahn's cases for Python 3; there is a wheel for most systems."""
    wslab.apply_mask(bytes(LONG_PAYLOAD), b"mask")  # a case has one second, and numpy may take it to load
    try:
        return importlib.import_module("kosoku")
    except ImportError:
        pytest.skip("kosoku, which has Autobahn's cases, is not installed: pip install kosoku==0.1.0")
