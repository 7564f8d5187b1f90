# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Certificates, made by the openssl command when a test needs them."""

import pathlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from .peers import require

KEYS = {
    "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["rsa:2048"],
    "ed25519": ["ed25519"],
}


def openssl(*arguments: str | pathlib.Path, send: bytes = b"") -> bytes:
    """What an openssl command prints; one that fails fails the test."""
    command = [require("openssl"), *map(str, arguments)]
    done = subprocess.run(command, input=send, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stderr.decode()}")
    return done.stdout


@dataclass(frozen=True)
class Certificate:
    """The files of one: with its chain, but without the root."""

    cert: pathlib.Path
    key: pathlib.Path

    @property
    def sha256(self) -> str:
        """As `openssl x509 -fingerprint` has it."""
        line = openssl("x509", "-in", self.cert, "-noout", "-fingerprint", "-sha256")
        return line.decode().strip().partition("=")[2]

    def arguments(self) -> list[str]:
        return ["--cert", str(self.cert), "--key", str(self.key)]


class Authority:
    """A root of a test's own, in a directory, which issues certificates into it."""

    def __init__(self, directory: pathlib.Path, name: str = "root"):
        self.directory = directory
        self.name = name
        self.cert = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        openssl(
            "req", "-x509", "-new", "-newkey", *KEYS["ecdsa"], "-nodes", "-days", "30",
            "-subj", f"/O=Pingora tests/CN={name}",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", self._key, "-out", self.cert,
        )  # fmt: skip

    def issue(
        self,
        file: str,
        names: Sequence[str] = (),
        kind: str = "ecdsa",
        days: int = 20,
        subject: str = "/O=Pingora tests/CN=leaf",
        usage: str = "serverAuth",
        directory: pathlib.Path | None = None,
        extensions: str = "",
    ) -> Certificate:
        """FILE.crt and FILE.key, for `names`. Replaces what is there, file by file, by renaming."""
        directory = directory or self.directory
        made = Certificate(directory / f"{file}.crt", directory / f"{file}.key")
        new_key, new_cert = directory / f".{file}.key.new", directory / f".{file}.crt.new"
        request = openssl(
            "req", "-new", "-newkey", *KEYS[kind], "-nodes", "-subj", subject, "-keyout", new_key,
        )  # fmt: skip
        extension_file = directory / f".{file}.ext"
        text = f"extendedKeyUsage={usage}\nkeyUsage=digitalSignature\n{extensions}\n"
        if names:
            text += "subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n"
        extension_file.write_text(text)
        openssl(
            "x509", "-req", "-days", str(days), "-CA", self.cert, "-CAkey", self._key,
            "-CAcreateserial", "-CAserial", directory / f".{file}.srl",
            "-extfile", extension_file, "-out", new_cert, send=request,
        )  # fmt: skip
        extension_file.unlink()
        new_key.rename(made.key)
        new_cert.rename(made.cert)
        return made
