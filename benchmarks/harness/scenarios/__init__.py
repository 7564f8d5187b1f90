# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The scenarios by name, in the order in which they run."""

from scenarios import calls, plain_get

ALL = {
    "h1_128": plain_get.h1_128,
    "h1_16k": plain_get.h1_16k,
    "h1_1m": plain_get.h1_1m,
    "connect": plain_get.connect,
    "syscalls": calls.syscalls,
    "instructions": calls.instructions,
}
