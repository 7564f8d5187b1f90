# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""To be imported before h2, hpack and hyperframe: an interpreter beside Debian's has no packages of
Debian's."""

import sys

try:
    import h2  # noqa: F401
except ImportError:
    sys.path.append("/usr/lib/python3/dist-packages")
