# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The scenarios by name, in the order in which they run."""

from scenarios import calls, h2_get, handshakes, idle, logic, plain_get, reuse, stuck

ALL = {
    "h1_128": plain_get.h1_128,
    "h1_16k": plain_get.h1_16k,
    "h1_1m": plain_get.h1_1m,
    "connect": plain_get.connect,
    "logic": logic.logic,
    "syscalls": calls.syscalls,
    "instructions": calls.instructions,
    "idle": idle.idle,
    "stuck": stuck.stuck,
    "reuse": reuse.reuse,
    "tls_128": plain_get.tls_128,
    "tls_16k": plain_get.tls_16k,
    "tls_1m": plain_get.tls_1m,
    "tls_handshake_ecdsa": handshakes.tls_handshake_ecdsa,
    "tls_handshake_rsa": handshakes.tls_handshake_rsa,
    "tls_resumed": handshakes.tls_resumed,
    "tls_idle": idle.tls_idle,
    "tls_upstream": reuse.tls_upstream,
    "h2_128": h2_get.h2_128,
    "h2_128_64x1": h2_get.h2_128_64x1,
    "h2_16k": h2_get.h2_16k,
    "h2_1m": h2_get.h2_1m,
    "h2_h2_128": h2_get.h2_h2_128,
    "grpc_unary": h2_get.grpc_unary,
    "h2_idle": idle.h2_idle,
}
