"""Photos in a bucket of any server that speaks S3. Credentials, region and endpoint come from AWS_* variables.

Keys, below the prefix: `<commune>/parts/<upload>/<offset>-<length>` one object for each chunk,
`<commune>/originals/<ab>/<cd>/<sha256>`, `<commune>/clean/<size>/<ab>/<sha256>.jpg`. Bytes pass through
temporary files and blocks, so that memory does not grow with a photo.
"""

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from server.storage.base import BLOCK, Copy, StoreDown

MISSING = ("404", "NoSuchKey", "NotFound")
THERE_ALREADY = ("PreconditionFailed", "412")
MADE_MEANWHILE = ("ConditionalRequestConflict", "409")
NO_CONDITIONS = ("NotImplemented", "501")
MOST_DELETED_AT_ONCE = 1000


class S3Store:
    """`bucket` must exist; `prefix` keeps several homes apart in one bucket."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        session = botocore.session.get_session()
        region = session.get_config_variable("region") or os.environ.get("AWS_REGION") or "us-east-1"
        own = bool(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"))
        self.client: Any = session.create_client(
            "s3", region_name=region,
            config=Config(
                connect_timeout=5, read_timeout=30, max_pool_connections=32, tcp_keepalive=True,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path" if own else "auto"},
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
            ),
        )  # fmt: skip

    def append(self, commune_id: int, upload_id: str, offset: int, chunk: bytes) -> None:
        """A late writer cannot shorten what another wrote: the length is part of the name."""
        self._write(f"{self._parts(commune_id, upload_id)}{offset:012d}-{len(chunk)}", chunk)

    def part_hash(self, commune_id: int, upload_id: str) -> tuple[str, bytes]:
        digest, head = hashlib.sha256(), b""
        for block in self._assembled(commune_id, upload_id):
            head = (head + block)[:32] if len(head) < 32 else head
            digest.update(block)
        return digest.hexdigest(), head

    def finish(self, commune_id: int, upload_id: str, sha256: str) -> None:
        """The parts stay until `drop_part`, so that a crash before the receipt costs nothing."""
        with tempfile.TemporaryFile() as whole:
            for block in self._assembled(commune_id, upload_id):
                whole.write(block)
            self._keep(commune_id, sha256, whole)

    def put(self, commune_id: int, sha256: str, content: bytes) -> None:
        if not self.has_original(commune_id, sha256):
            self._keep(commune_id, sha256, content)

    def drop_part(self, commune_id: int, upload_id: str) -> None:
        names = [name for name, _ in self._names(self._parts(commune_id, upload_id))]
        for start in range(0, len(names), MOST_DELETED_AT_ONCE):
            some = [{"Key": name} for name in names[start : start + MOST_DELETED_AT_ONCE]]
            with _reaching():
                self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": some, "Quiet": True})

    def has_original(self, commune_id: int, sha256: str) -> bool:
        try:
            with _reaching():
                self.client.head_object(Bucket=self.bucket, Key=self._original(commune_id, sha256))
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def original(self, commune_id: int, sha256: str) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile() as file:
            with _Body(self._get(self._original(commune_id, sha256))["Body"]) as body:
                shutil.copyfileobj(cast(BinaryIO, body), file, BLOCK)
            file.seek(0)
            yield cast(BinaryIO, file)

    def originals(self, commune_id: int) -> Iterator[tuple[str, int]]:
        for name, size in self._names(f"{self.prefix}{commune_id}/originals/"):
            yield name.rsplit("/", 1)[1], size

    def put_clean(self, commune_id: int, sha256: str, size: str, content: bytes) -> None:
        self._write(self._clean(commune_id, sha256, size), content, ContentType="image/jpeg")

    def clean(self, commune_id: int, sha256: str, size: str) -> Copy | None:
        try:
            answer = self._get(self._clean(commune_id, sha256, size))
        except FileNotFoundError:
            return None
        return Copy(cast(BinaryIO, _Body(answer["Body"])), int(answer["ContentLength"]))

    def check(self) -> str:
        key = f"{self.prefix}probe-{os.urandom(6).hex()}"
        self._write(key, b"probe")
        with _Body(self._get(key)["Body"]) as body:
            if body.read() != b"probe":
                raise StoreDown("what was written came back otherwise")
        with _reaching():
            self.client.delete_object(Bucket=self.bucket, Key=key)
        return f"s3://{self.bucket}/{self.prefix} at {self.client.meta.endpoint_url}"

    def _keep(self, commune_id: int, sha256: str, body: bytes | Any) -> None:
        """Only where the hash is not there yet; the server checks the bytes against it."""
        more = {"ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode()}
        key = self._original(commune_id, sha256)
        try:
            self._write(key, body, IfNoneMatch="*", **more)
        except _Refused as refused:
            if refused.code in NO_CONDITIONS:  # same name, same bytes: to write them twice is only slower
                self._write(key, body, **more)
            elif refused.code in MADE_MEANWHILE and not self.has_original(commune_id, sha256):
                raise StoreDown("another request is writing this photo") from refused
            elif refused.code not in (*THERE_ALREADY, *MADE_MEANWHILE):
                raise

    def _write(self, key: str, body: bytes | Any, **more: str) -> None:
        if not isinstance(body, bytes):
            body.seek(0)
        with _reaching():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def _get(self, key: str) -> Any:
        with _reaching():
            return self.client.get_object(Bucket=self.bucket, Key=key)

    def _names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """(key, bytes) of every object below, in the order of their names."""
        token: dict[str, str] = {}
        while True:
            with _reaching():
                page = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **token)
            for item in page.get("Contents", ()):
                yield item["Key"], int(item["Size"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _assembled(self, commune_id: int, upload_id: str) -> Iterator[bytes]:
        """The bytes from the start to the first gap; of chunks that overlap, what is new of each."""
        prefix = self._parts(commune_id, upload_id)
        chunks: list[tuple[int, int, str]] = []
        for name, _ in self._names(prefix):
            start, _, length = name.removeprefix(prefix).partition("-")
            chunks.append((int(start), int(start) + int(length), name))
        reached = 0
        for offset, end, name in sorted(chunks, key=lambda chunk: (chunk[0], -chunk[1])):
            if offset > reached:
                return
            if end <= reached:
                continue
            skip = reached - offset
            with _Body(self._get(name)["Body"]) as body:
                while block := body.read(BLOCK):
                    fresh, skip = block[skip:], max(0, skip - len(block))
                    reached += len(fresh)
                    yield fresh

    def _parts(self, commune_id: int, upload_id: str) -> str:
        return f"{self.prefix}{commune_id}/parts/{upload_id}/"

    def _original(self, commune_id: int, sha256: str) -> str:
        return f"{self.prefix}{commune_id}/originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _clean(self, commune_id: int, sha256: str, size: str) -> str:
        return f"{self.prefix}{commune_id}/clean/{size}/{sha256[:2]}/{sha256}.jpg"


class _Refused(StoreDown):
    """The server answered, and refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@contextmanager
def _reaching() -> Iterator[None]:
    """Turns the client's errors into ours: FileNotFoundError, or StoreDown."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code = str(told.get("Code", "?"))
        if code in MISSING:
            raise FileNotFoundError(str(error)) from error
        raise _Refused(code, str(told.get("Message", ""))) from error
    except BotoCoreError as error:
        raise StoreDown(str(error)) from error


class _Body:
    """A file to read from the bucket, block by block."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        with _reaching():
            return bytes(self.stream.read(None if size < 0 else size))

    def close(self) -> None:
        self.stream.close()

    def __enter__(self) -> "_Body":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
