"""A small HTTP client with cookies over one kept connection; it stands in for Flask's test client in tests/phones.py."""

import gzip
import http.client
import json
from typing import Any


class Answer:
    def __init__(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.status_code, self.headers, self.data = status, headers, data

    @property
    def text(self) -> str:
        return self._plain().decode()

    def get_json(self) -> Any:
        return json.loads(self._plain())

    def _plain(self) -> bytes:
        return gzip.decompress(self.data) if self.headers.get("Content-Encoding") == "gzip" else self.data


class Client:
    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def request(self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._connection.request(method, path, data, sent)
        response = self._connection.getresponse()
        answer = Answer(response.status, {name.title(): value for name, value in response.getheaders()}, response.read())
        for cookie in response.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def post(self, path: str, json: Any = None, data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        if json is not None:
            data, headers = _packed(json), {**(headers or {}), "Content-Type": "application/json"}
        return self.request("POST", path, data, headers)

    def patch(self, path: str, data: bytes, headers: dict[str, str]) -> Answer:
        return self.request("PATCH", path, data, headers)

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def close(self) -> None:
        self._connection.close()


def _packed(body: Any) -> bytes:
    return json.dumps(body).encode()
