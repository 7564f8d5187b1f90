# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The proxies that are compared: how each is started for each kind of job."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from bench import BENCHMARKS, ROOT, Bench, render
from processes import free_ports, pinned
from tls import (Certificate, ServerTls, h2o_listener, haproxy_listener, haproxy_upstream,
                 nghttpx_listener, nginx_listener, nginx_upstream, pingora_listener,
                 pingora_upstream)

REUSE_ORIGINS = 64
# With the static BoringSSL of cmake/build_boringssl.sh, if somebody has built that.
STATIC_BINARIES = ROOT / "build/release_static/bin"
NGINX_MODULES = Path("/usr/lib/nginx/modules")


@dataclass
class Job:
    """What a proxy has to do. `kind` names the configuration templates and our own program:
    plain, logic, stuck, grpc or reuse (there the first upstream port stands for 127.0.1.1-64).
    `options` go to our own program's command line, `tuning` to the plain nginx's location. `tls` is
    for the listener, `upstream_certificate` is that of the origins, if they have TLS. `h2`: clients
    speak HTTP/2, with TLS or in clear text; `upstream_h2`: so do origins, in clear text. `closes`:
    each client connection has one request, which says so; only the relay needs to be told."""

    kind: str
    upstream_ports: list
    workers: int = 1
    core: int | None = None
    options: list = field(default_factory=list)
    tuning: str = ""
    env: dict = field(default_factory=dict)
    wrapper: list = field(default_factory=list)
    tls: ServerTls | None = None
    upstream_certificate: Certificate | None = None
    h2: bool = False
    upstream_h2: bool = False
    closes: bool = False

    @property
    def is_h2c(self):
        return self.h2 and self.tls is None


@dataclass
class Proxy:
    """A running proxy."""

    name: str
    pid: int
    port: int
    process: object
    is_tls: bool = False

    @property
    def url(self):
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"


class Unavailable(Exception):
    """This machine or build does not have the proxy; the message says what is missing."""


def start_proxy(bench: Bench, name, peer, job: Job):
    """Starts a proxy under a name of the caller's; `peer` is one of pingora_cpp,
    pingora_cpp_static, pingora_rust, nginx, haproxy, h2o, nghttpx, relay and relay_static."""
    folder = bench.folder(f"proxy-{name}")
    port = free_ports(1)[0]
    command = _COMMANDS[peer](bench, job, folder, port)
    process = bench.processes.start(
        pinned([*job.wrapper, *command], job.core), folder / "out.log", ("127.0.0.1", port),
        job.env, timeout=60 if job.wrapper else 15)
    return Proxy(name, process.pid, port, process, job.tls is not None)


def _built(binaries, name):
    program = binaries / name
    if not program.exists():
        raise Unavailable(f"{program.relative_to(ROOT)} is not built")
    return program


def _pingora_cpp(bench, job, _folder, port, binaries=None):
    program = _built(binaries or bench.binaries,
                     "pingora-proxy" if job.kind in ("plain", "grpc") else job.kind)
    if job.kind == "reuse":
        upstreams = ["--upstream-port", str(job.upstream_ports[0])]
    else:
        upstreams = [word for number in job.upstream_ports
                     for word in ("--upstream", f"127.0.0.1:{number}")]
    return [str(program), *pingora_listener(job.tls, f"127.0.0.1:{port}"), *upstreams,
            *pingora_upstream(job.upstream_certificate), *(["--h2c"] if job.is_h2c else []),
            *(["--upstream-http", "h2"] if job.upstream_h2 else []),
            "--threads", str(job.workers), *job.options]


def _pingora_cpp_static(bench, job, folder, port):
    return _pingora_cpp(bench, job, folder, port, STATIC_BINARIES)


def _pingora_rust(_bench, job, _folder, port):
    if job.kind == "logic" or job.tls or job.upstream_certificate or job.h2:
        raise Unavailable("has no program for this job")
    program = ROOT / "build/peers/pingora_rust/release/pingora-rust-proxy"
    if not program.exists():
        raise Unavailable("not built (is cargo here?)")
    upstream = ("by-path:" if job.kind == "reuse" else "127.0.0.1:") + str(job.upstream_ports[0])
    return [str(program), f"127.0.0.1:{port}", upstream, str(job.workers)]


def _nginx(_bench, job, folder, port):
    if job.upstream_h2 and job.kind != "grpc":
        raise Unavailable("has no HTTP/2 to origins")
    template = BENCHMARKS / f"peers/nginx/{job.kind}.conf"
    if not shutil.which("nginx"):
        raise Unavailable("nginx is not installed")
    needs_lua = "@MODULES@" in template.read_text()
    if needs_lua and not (NGINX_MODULES / "ngx_http_lua_module.so").exists():
        raise Unavailable("nginx has no Lua module")
    servers = " ".join(f"server 127.0.0.1:{number};" for number in job.upstream_ports)
    blocks = "\n  ".join(
        f"upstream origin_{number} {{ server 127.0.1.{number}:{job.upstream_ports[0]}; "
        "keepalive 32; keepalive_timeout 5s; }" for number in range(1, REUSE_ORIGINS + 1))
    listener = nginx_listener(job.tls)
    if job.is_h2c:
        listener["LISTEN_TLS"] = "http2"
    conf = render(
        template, folder / "nginx.conf", DIR=folder, WORKERS=job.workers, ADDRESS="127.0.0.1",
        PORT=port, REUSEPORT="reuseport" if job.workers > 1 else "", MODULES=NGINX_MODULES,
        UPSTREAM_SERVERS=servers, UPSTREAM_BLOCKS=blocks,
        TUNING=job.tuning, **listener,
        **nginx_upstream(job.upstream_certificate), LUA_PORTS=", ".join(map(str, job.upstream_ports)))
    # Workers that give up root's rights could not write callgrind's files.
    return ["nginx", "-p", str(folder), "-c", str(conf), "-g", "user root;"]


def _haproxy(_bench, job, folder, port):
    kind = "plain" if job.kind == "grpc" else job.kind
    template = BENCHMARKS / f"peers/haproxy/{kind}.cfg"
    if not shutil.which("haproxy"):
        raise Unavailable("HAProxy is not installed")
    if not template.exists():
        raise Unavailable("has no configuration for this job")
    servers = "\n  ".join(
        f"server origin_{number} 127.0.0.1:{number} {'proto h2' if job.upstream_h2 else ''}"
        for number in job.upstream_ports)
    backends = "\n".join(
        f"backend origin_{number}\n  server origin 127.0.1.{number}:{job.upstream_ports[0]} "
        f"pool-purge-delay 5s {haproxy_upstream(job.upstream_certificate)}" for number in range(1, REUSE_ORIGINS + 1))
    conf = render(template, folder / "haproxy.cfg", WORKERS=job.workers, ADDRESS="127.0.0.1",
                  PORT=port, UPSTREAM_SERVERS=servers, BACKENDS=backends,
                  BIND_TLS="proto h2" if job.is_h2c else haproxy_listener(job.tls))
    return ["haproxy", "-db", "-q", "-f", str(conf)]


def _h2o(_bench, job, folder, port):
    if not shutil.which("h2o"):
        raise Unavailable("h2o is not installed")
    if job.kind != "plain" or job.upstream_h2 or job.upstream_certificate:
        raise Unavailable("has no HTTP/2 to origins" if job.upstream_h2 else "has no such job")
    conf = render(BENCHMARKS / "peers/h2o/plain.conf", folder / "h2o.conf", DIR=folder,
                  WORKERS=job.workers, ADDRESS="127.0.0.1", PORT=port,
                  UPSTREAM_PORT=job.upstream_ports[0], LISTEN_TLS=h2o_listener(job.tls))
    return ["h2o", "-c", str(conf)]


def _nghttpx(_bench, job, folder, port):
    if not shutil.which("nghttpx"):
        raise Unavailable("nghttpx is not installed")
    if job.kind not in ("plain", "grpc") or job.upstream_certificate:
        raise Unavailable("has no such job")
    protocol = "h2" if job.upstream_h2 else "http/1.1"
    backends = [f"--backend=127.0.0.1,{number};;proto={protocol}" for number in job.upstream_ports]
    conf = folder / "nghttpx.conf"
    conf.write_text("")  # not that of the machine
    return ["nghttpx", f"--conf={conf}", f"--workers={job.workers}", "--log-level=ERROR",
            "--accesslog-file=/dev/null", "--no-ocsp", *backends,
            *nghttpx_listener(job.tls, port)]


def _relay(bench, job, _folder, port, binaries=None):
    if job.kind != "plain" or job.upstream_certificate or job.upstream_h2:
        raise Unavailable("knows no such job")
    program = _built(binaries or bench.binaries, "relay")
    cert = job.tls and job.tls.certificate
    return [str(program), str(port), str(job.upstream_ports[0]), *(["close"] if job.closes else []),
            *(["h2"] if job.h2 else []), *(["tls", str(cert.chain), str(cert.key)] if cert else [])]


def _relay_static(bench, job, folder, port):
    return _relay(bench, job, folder, port, STATIC_BINARIES)


_COMMANDS = {"pingora_cpp": _pingora_cpp, "pingora_cpp_static": _pingora_cpp_static,
             "pingora_rust": _pingora_rust, "nginx": _nginx, "haproxy": _haproxy, "h2o": _h2o,
             "nghttpx": _nghttpx, "relay": _relay, "relay_static": _relay_static}
