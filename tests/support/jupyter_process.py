"""A real Jupyter server in a process of its own: its own port, and nothing of the tester's settings."""

import contextlib
import http.client
import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient

from tests.support import ports

__all__ = ["BASE_URL", "JupyterProcess", "run_jupyter"]

BASE_URL = "/user/x/"  # as on Binder and JupyterHub


@dataclass
class JupyterProcess:
    """What a test needs to know of the running server."""

    port: int
    token: str
    folder: Path
    tls: ssl.SSLContext | None = None
    log: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """The origin of its pages."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    @cached_property
    def prefix(self) -> str:
        """The prefix of the tunnel, as a kernel knows it; nobody else does."""
        status, _, body = self.request("POST", f"{BASE_URL}api/kernels")
        assert status == 201
        kernel = json.loads(body)["id"]
        client = BlockingKernelClient(connection_file=str(self.folder / "runtime" / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels(hb=False)  # a kernel that is slow to start would count as dead
        try:
            client.wait_for_ready(timeout=60)
            assert client.shell_port in ports.PORTS
            asked = {"prefix": "__import__('os').environ['WSLAB_PREFIX']"}
            reply = client.execute("", user_expressions=asked, reply=True, timeout=30)
            return str(reply["content"]["user_expressions"]["prefix"]["data"]["text/plain"]).strip("'")
        finally:
            client.stop_channels()
            self.request("DELETE", f"{BASE_URL}api/kernels/{kernel}")

    def address(self, port: int, path: str = "/", query: str = "") -> str:
        """The WebSocket address of `path` on `port` through the tunnel."""
        return f"{self.origin.replace('http', 'ws', 1)}{self.prefix}{port}{path}?token={self.token}{query}"

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, token: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request, with the token unless another (or "") is given; return status, headers, body."""
        token = self.token if token is None else token
        connection = (
            http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls)
            if self.tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        )
        with contextlib.closing(connection):
            authorization = {"Authorization": f"token {token}"} if token else {}
            connection.request(method, path, headers=authorization | (headers or {}))
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, fields, response.read()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself; return its path and the path of its key."""
    openssl = shutil.which("openssl")
    assert openssl, "the caller skips where openssl is absent"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True, timeout=30)
    return certificate, key


@contextlib.contextmanager
def run_jupyter(
    folder: Path, *, module: str = "jupyter_server", tls: bool = False, options: Sequence[str] = ()
) -> Iterator[JupyterProcess]:
    """Run a server whose files are all in `folder`, and end it by its process id."""
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", module, "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    command += [f"--ServerApp.base_url={BASE_URL}", "--ServerApp.open_browser=False", *options]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}"]
    context = None
    if tls:
        certificate, key = make_certificate(folder)
        command += [f"--ServerApp.certfile={certificate}", f"--ServerApp.keyfile={key}"]
        context = ssl.create_default_context(cafile=str(certificate))
    # The settings of the environment (its prefix) stay in force: the tunnel has to be on by installation.
    places = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    config = Path(places["JUPYTER_CONFIG_DIR"])
    config.mkdir(exist_ok=True)
    shutil.copy(ports.__file__, config / "jupyter_server_config.py")
    places |= {"IPYTHONDIR": str(folder / "ipython"), "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, env=os.environ | places, stderr=subprocess.PIPE, text=True)
    server = JupyterProcess(0, token, folder, context)
    try:
        assert process.stderr
        for line in process.stderr:
            server.log.append(line)
            if found := re.search(rf"https?://127\.0\.0\.1:(\d+){BASE_URL}", line):
                server.port = int(found[1])
                break
        else:
            raise RuntimeError("Jupyter did not start:\n" + "".join(server.log))
        threading.Thread(target=server.log.extend, args=(process.stderr,), daemon=True).start()
        wait_until_it_answers(server, process)
        yield server
    finally:
        process.terminate()  # lets it end its kernels
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def wait_until_it_answers(server: JupyterProcess, process: "subprocess.Popen[str]") -> None:
    """Return when the server accepts connections: it prints its address a moment before it listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            server.request("GET", f"{BASE_URL}api")
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
