# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The scenarios by name, in the order in which they run."""

from scenarios import calls, idle, logic, plain_get, reuse, stuck

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
}
