# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Servers that users have beside the proxy: nginx as origin and as proxy, HAProxy."""

import os
import pathlib
import shutil

from .program import Program, free_ports
from .wire import eventually

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr error;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  types {{ text/html html; text/plain txt; }}
  client_max_body_size 100m;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  {http}
}}
"""

# What `{root}` has, a page that says how much was posted to it, and a redirect.
ORIGIN = """
  gzip on;
  gzip_types text/plain;
  gzip_min_length 100;
  gzip_proxied any;
  gzip_http_version 1.0;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    absolute_redirect off;
    location = /posted {{
      proxy_pass http://127.0.0.1:{port}/length;
      proxy_set_header X-Length $content_length;
    }}
    location = /length {{ return 200 "$request_method $http_x_length $http_transfer_encoding\\n"; }}
    location = /moved {{ return 301 /index.html; }}
    location = /seen {{
      return 200 "$host $http_x_forwarded_for $http_connection $server_protocol\\n";
    }}
  }}
"""

PROXY = """
  upstream behind {{
    server 127.0.0.1:{behind};
    keepalive 16;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }}
  }}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 1000

defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 15s
  timeout client 15s
  timeout server 15s

listen proxy
  bind 127.0.0.1:{port}
  server behind 127.0.0.1:{behind}
"""


def require(name: str) -> str:
    """Where a program is that the tests need; they do not pass without it."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise AssertionError(f"{name} is not installed; see cmake/bootstrap.sh test")
    return path


def start_nginx(directory: pathlib.Path, http: str, port: int) -> Program:
    """nginx with `http` in its http block. `directory` is made, for what nginx writes."""
    directory.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    file = directory / "nginx.conf"
    file.write_text(NGINX.format(directory=directory, user=user, http=http))
    argv = [require("nginx"), "-e", "stderr", "-p", directory, "-c", file]
    return Program(argv, [port])


def log_lines(log: pathlib.Path, count: int) -> list[str]:
    """The lines of nginx's access log, which has `count` at least: each is written when the response
    has been sent, and so may come after it."""
    return eventually(
        lambda: len(lines := log.read_text().splitlines()) >= count and lines,
        f"{count} lines in {log.name}",
    )


def start_nginx_origin(directory: pathlib.Path, root: pathlib.Path) -> tuple[Program, int]:
    """nginx with the files of `root`. `directory` is made, for what nginx writes."""
    (port,) = free_ports(1)
    return start_nginx(directory, ORIGIN.format(port=port, root=root), port), port


def start_nginx_proxy(directory: pathlib.Path, behind: int) -> tuple[Program, int]:
    """nginx as a proxy in front of the port `behind`."""
    (port,) = free_ports(1)
    return start_nginx(directory, PROXY.format(port=port, behind=behind), port), port


def start_haproxy(directory: pathlib.Path, behind: int) -> tuple[Program, int]:
    """HAProxy in front of the port `behind`."""
    (port,) = free_ports(1)
    directory.mkdir()
    file = directory / "haproxy.cfg"
    file.write_text(HAPROXY.format(port=port, behind=behind))
    return Program([require("haproxy"), "-f", file, "-q", "-db"], [port]), port
