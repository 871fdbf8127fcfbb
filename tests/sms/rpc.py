"""Aliyun's RPC protocol as a server sees it: the signature, the form, and answers gone wrong."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit


def string_to_sign(method: str, given: Mapping[str, str]) -> str:
    """help.aliyun.com: RPC signature 1.0. Empty values count, `Signature` does not."""
    pairs = sorted((name, value) for name, value in given.items() if name != "Signature")
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    return f"{method}&%2F&{quote(query, safe='~')}"


def sign(to_sign: str, secret: str) -> str:
    digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class Handler(BaseHTTPRequestHandler):
    desk: Any  # a Provider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else 40 ms a call

    def do_POST(self) -> None:
        self.desk.lines.append(self.requestline)
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = urlsplit(self.path).query
        given = dict(parse_qsl(f"{query}&{form}", keep_blank_values=True))
        status, answer, mood = self.desk.answer(self.command, given)
        time.sleep(mood.delay)
        body = json.dumps(answer).encode()
        match mood.answer:
            case "nothing":
                self.close_connection = True
            case "cut":
                self._write(status, body[: len(body) // 2], len(body))
                self.close_connection = True
            case "html":
                page = f"<html><h1>502 Bad Gateway</h1>{given}</html>"
                self._write(mood.status, page.encode(), None)
            case "binary":
                self._write(mood.status, b"\xff\xfe" + f"{given}".encode("utf-16"), None)
            case "garbage":
                self._write(mood.status, json.dumps([f"{given}"]).encode(), None)
            case _:
                self._write(status, body, None)

    def _write(self, status: int, body: bytes, length: int | None) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # a client that did not wait
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
