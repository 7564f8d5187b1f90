# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""TLS for all proxies alike: certificates, and how each peer is told to use them. The same protocol
version, cipher, curves and certificates everywhere, so that what differs is the proxy."""

import json
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import BENCHMARKS, Bench, compiled
from processes import pinned

# What all of them negotiate by themselves: the best that each has. TLS 1.3's cipher is said, since
# OpenSSL's first choice is another one than BoringSSL's.
CIPHER = "TLS_AES_128_GCM_SHA256"
CURVES = "X25519:P-256"
ORIGIN_NAME = "origin.test"

_KEYS = {"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
         "rsa": ["-newkey", "rsa:2048"]}


@dataclass
class Certificate:
    """A self-signed certificate for 127.0.0.1 and the origins. `bundle` holds both."""

    chain: Path
    key: Path
    bundle: Path


@dataclass
class ServerTls:
    """TLS on the listener of a proxy. `alpn` in the order of preference, for example
    ["h2", "http/1.1"]."""

    certificate: Certificate
    alpn: list

    def __post_init__(self):
        assert self.alpn


def certificate(bench: Bench, kind):
    """A fresh certificate; `kind` is ecdsa (P-256) or rsa (2048 bits)."""
    folder = bench.folder(f"certificate-{kind}")
    found = Certificate(folder / "cert.pem", folder / "key.pem", folder / "bundle.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", *_KEYS[kind], "-days", "30", "-subj", "/CN=bench",
         "-addext", f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:{ORIGIN_NAME}",
         "-keyout", str(found.key), "-out", str(found.chain)], check=True, capture_output=True)
    found.bundle.write_bytes(found.chain.read_bytes() + found.key.read_bytes())
    return found


def nginx_listener(tls: ServerTls | None):
    """Values for nginx's templates: words of `listen`, and directives of the server."""
    if tls is None:
        return {"LISTEN_TLS": "", "SERVER_TLS": ""}
    return {"LISTEN_TLS": "ssl http2" if "h2" in tls.alpn else "ssl",
            "SERVER_TLS": nginx_server(tls.certificate)}


def nginx_server(cert: Certificate):
    """Directives of an nginx server with TLS, proxy or origin."""
    return (f"ssl_certificate {cert.chain}; ssl_certificate_key {cert.key}; "
            f"ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER}; "
            f"ssl_ecdh_curve {CURVES};")


def nginx_upstream(cert: Certificate | None):
    """Values for nginx's templates: how origins are talked to; verified if with TLS."""
    if cert is None:
        return {"SCHEME": "http", "UPSTREAM_TLS": ""}
    return {"SCHEME": "https",
            "UPSTREAM_TLS": f"proxy_ssl_trusted_certificate {cert.chain}; proxy_ssl_verify on; "
            f"proxy_ssl_name {ORIGIN_NAME}; proxy_ssl_server_name on; "
            "proxy_ssl_protocols TLSv1.3;"}


def haproxy_listener(tls: ServerTls | None):
    """Words of HAProxy's `bind`."""
    if tls is None:
        return ""
    return (f"ssl crt {tls.certificate.bundle} alpn {','.join(tls.alpn)} ssl-min-ver TLSv1.3 "
            f"ciphersuites {CIPHER} curves {CURVES}")


def haproxy_upstream(cert: Certificate | None):
    """Words of HAProxy's `server`."""
    if cert is None:
        return ""
    return (f"ssl verify required ca-file {cert.chain} sni str({ORIGIN_NAME}) "
            f"verifyhost {ORIGIN_NAME} ssl-min-ver TLSv1.3")


def h2o_listener(tls: ServerTls | None):
    """Lines of h2o's `listen`. It is linked with a library whose TLS 1.3 ciphers it cannot name: the
    best that both sides have is negotiated."""
    if tls is None:
        return ""
    return (f"ssl:\n    certificate-file: {tls.certificate.chain}\n"
            f"    key-file: {tls.certificate.key}\n    minimum-version: TLSv1.2\n    ocsp-update-interval: 0")


def nghttpx_listener(tls: ServerTls | None, port):
    """nghttpx's command line."""
    if tls is None:
        return [f"--frontend=127.0.0.1,{port};no-tls"]
    return [f"--frontend=127.0.0.1,{port}", f"--tls13-ciphers={CIPHER}", f"--ecdh-curves={CURVES}",
            "--tls-min-proto-version=TLSv1.3", f"--npn-list={','.join(tls.alpn)}",
            str(tls.certificate.key), str(tls.certificate.chain)]


def pingora_listener(tls: ServerTls | None, address):
    """Our own program's command line."""
    if tls is None:
        return ["--listen", address]
    return ["--tls-listen", address, "--cert", str(tls.certificate.chain),
            "--key", str(tls.certificate.key)]


def pingora_upstream(cert: Certificate | None):
    if cert is None:
        return []
    return ["--upstream-tls", "--sni", ORIGIN_NAME, "--upstream-ca", str(cert.chain)]


def client_context():
    """For the harness's own connections."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


@dataclass
class Handshakes:
    """What one run of tls_load saw."""

    requests: int
    seconds: float
    offered: int
    resumed: int
    errors: int


def run_handshakes(bench: Bench, port, seconds, mode, connections=16):
    """A connection for each GET; `mode` is full or resume. See tls_load.cc."""
    program = compiled(BENCHMARKS / "harness/tls_load.cc", bench.work / "helpers", "-std=c++20",
                       "-lssl", "-lcrypto")
    done = subprocess.run(
        pinned([str(program), str(port), str(seconds), str(connections), mode], bench.core),
        capture_output=True, text=True, timeout=seconds + 30, check=True)
    return Handshakes(**json.loads(done.stdout))
