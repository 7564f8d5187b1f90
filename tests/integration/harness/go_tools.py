# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Tools that only Go has; tests/run.sh installs them where it is present."""

import pathlib
import shutil

TOOLS = pathlib.Path(__file__).parents[3] / "build" / "tools"


def find_go_tool(name: str) -> str | None:
    """Where a tool is. Without it a test says `NAME is not installed`, which ctest shows as
    skipped."""
    return shutil.which(name) or shutil.which(name, path=str(TOOLS))
