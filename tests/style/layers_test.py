#!/usr/bin/env python3
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Holds the source tree to cmake/layers.txt and to the layout that docs/LAYERS.md describes.

    layers_test.py ROOT           checks the tree at ROOT, one line per finding, exit code 1 if any
    layers_test.py --self-test    shows that each rule finds what it is for
"""

import os
import re
import sys
import tempfile
import unittest

COPYRIGHT = "Copyright 2026 The Pingora C++ Authors"
LICENSE = "SPDX-License-Identifier: Apache-2.0"
SAYS_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc", "impl"}
# Folders of the system's own headers: <sys/socket.h> is nobody's vendor.
SYSTEM_FOLDERS = {"sys", "netinet", "arpa", "net", "linux", "bits", "asm", "sanitizer", "valgrind"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CHECKED_FOLDERS = ("include", "lib", "tests", "examples", "benchmarks", "cmake", ".ci")


class Layers:
    """What cmake/layers.txt says."""

    def __init__(self, text):
        self.floor = {}    # folder -> floor
        self.on = {}       # folder -> what it names
        self.below = {}    # folder -> all that it may include
        self.vendors = {}  # folder -> vendors
        self.where = {}    # vendor -> everywhere, public or private
        self.headers = {}  # vendor -> compiled expression
        self.problems = []
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            cells = [cell.strip() for cell in line.split("|", 3 if line[0].isdigit() else 2)]
            if line.startswith("vendor "):
                name = cells[0].split()[1]
                self.where[name] = cells[1]
                self.headers[name] = re.compile(cells[2])
            else:
                self.add_folder(int(cells[0]), cells[1], cells[2].split(), cells[3].split())
        for folder, vendors in self.vendors.items():
            for vendor in vendors:
                if vendor not in self.where:
                    self.problems.append(f"{folder} names the vendor {vendor}, which has no line")

    def add_folder(self, floor, folder, on, vendors):
        self.floor[folder] = floor
        self.on[folder] = on
        self.vendors[folder] = vendors
        self.below[folder] = set()
        for lower in on:
            if lower not in self.below:
                self.problems.append(f"{folder} is on {lower}, which no line above it declares")
                continue
            if self.floor[lower] > floor:
                self.problems.append(f"{folder} is on {lower}, which is on a floor above")
            self.below[folder] |= {lower} | self.below[lower]

    def vendor_of(self, header):
        for name, expression in self.headers.items():
            if expression.search(header):
                return name
        return None


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def source_files(root):
    """Paths of the project's text files below CHECKED_FOLDERS, relative to root."""
    for top in CHECKED_FOLDERS:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f not in ("build", "target", "__pycache__"))
            for name in sorted(files):
                yield os.path.relpath(os.path.join(folder, name), root)


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def floor_of(path):
    """(part, folder) of a file that belongs to a floor, such as ("lib", "h1"); else None."""
    parts = path.split(os.sep)
    if parts[:2] == ["include", "pingora"] and len(parts) == 4:
        return "include", parts[2]
    if parts[0] == "lib" and len(parts) == 3:
        return "lib", parts[1]
    if parts[:2] == ["tests", "unit"] and len(parts) == 4:
        return "unit", parts[2]
    return None


def check_name(path):
    stem = os.path.basename(path).split(".")[0]
    words = {stem, re.sub(r"_(test|bench|fuzz)$", "", stem)}
    if words & SAYS_NOTHING:
        yield f"{path}: '{stem}' does not say what is in it; name the file after its main type"


def check_header_lines(path, text):
    name = os.path.basename(path)
    if name.endswith((".h", ".cc")):
        lines = text.splitlines()[:2]
        if lines != [f"// {COPYRIGHT}", f"// {LICENSE}"]:
            yield f"{path}: does not begin with the copyright and license lines"
        if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{path}: has no #pragma once"
    elif name.endswith((".sh", ".py", ".cmake")) or name == "CMakeLists.txt":
        if f"# {LICENSE}" not in text.splitlines()[:3]:
            yield f"{path}: does not begin with the copyright and license lines"


def check_include(path, part, folder, layers, root, quote, header):
    """Findings about one #include of a file on a floor."""
    parts = header.split("/")
    if parts[0] == "pingora":
        if len(parts) == 2:
            if part != "unit":
                yield f"{path}: includes {header}; the library includes precise files"
        elif parts[1] != folder and parts[1] not in layers.below[folder]:
            yield f"{path}: {folder} may not include {header}: it is not on {parts[1]}"
        elif not os.path.exists(os.path.join(root, "include", header)):
            yield f"{path}: includes {header}, which does not exist"
        return
    if quote == '"':
        private = len(parts) == 2 and parts[0] in layers.floor
        if private and parts[0] != folder and parts[0] not in layers.below[folder]:
            yield f"{path}: {folder} may not include {header}: it is not on {parts[0]}"
        elif part == "include":
            yield f"{path}: a public header includes the private {header}"
        if len(parts) == 1 or parts[0] in layers.floor or part == "unit":
            return
    vendor = layers.vendor_of(header)
    if vendor is None:
        if len(parts) > 1 and parts[0] not in SYSTEM_FOLDERS and part != "unit":
            yield f"{path}: includes {header}, whose vendor is not in cmake/layers.txt"
    elif layers.where[vendor] == "everywhere":
        return
    elif vendor not in layers.vendors[folder]:
        yield f"{path}: includes {header}, but {folder} may not use {vendor}"
    elif part == "include" and layers.where[vendor] == "private":
        yield f"{path}: a public header includes {header}; {vendor} stays in lib/{folder}"


def check_own_header_first(path, folder, text, root):
    stem = os.path.basename(path)[:-len(".cc")]
    public = f"pingora/{folder}/{stem}.h"
    if os.path.exists(os.path.join(root, "include", public)):
        own = {public}
    elif os.path.exists(os.path.join(root, "lib", folder, f"{stem}.h")):
        own = {f"{folder}/{stem}.h", f"{stem}.h"}
    else:
        return
    first = INCLUDE.search(text)
    if first is None or first.group(2) not in own:
        yield f"{path}: does not include its own header first"


def check_table(layers, text):
    """Findings about the table of docs/LAYERS.md, which is to say the same as layers.txt."""
    rows = {}
    for row in re.finditer(r"^\| (\d+) \| `(\w+)` \|[^|]*\|([^|]*)\|", text, re.MULTILINE):
        rows[row.group(2)] = (int(row.group(1)), sorted(re.findall(r"\w+", row.group(3))))
    for folder, on in layers.on.items():
        if rows.get(folder) != (layers.floor[folder], sorted(on)):
            yield f"docs/LAYERS.md: the row of {folder} does not say what cmake/layers.txt says"
    for folder in rows.keys() - layers.on.keys():
        yield f"docs/LAYERS.md: {folder} is not in cmake/layers.txt"


def check_tree(root):
    layers = Layers(read(os.path.join(root, "cmake", "layers.txt")))
    findings = [f"cmake/layers.txt: {problem}" for problem in layers.problems]
    findings += check_table(layers, read(os.path.join(root, "docs", "LAYERS.md")))
    for path in source_files(root):
        findings += check_name(path)
        text = read(os.path.join(root, path))
        findings += check_header_lines(path, text)
        place = floor_of(path)
        if place is None or not path.endswith((".h", ".cc")):
            continue
        part, folder = place
        if folder not in layers.floor:
            findings.append(f"{path}: the folder {folder} is not in cmake/layers.txt")
            continue
        code = without_comments(text)
        for include in INCLUDE.finditer(code):
            findings += check_include(path, part, folder, layers, root, *include.groups())
        if part == "lib" and path.endswith(".cc"):
            findings += check_own_header_first(path, folder, code, root)
    return findings


class SelfTest(unittest.TestCase):
    """Each rule, on a small tree that keeps all of them but one."""

    LAYERS = ("0 | base | | fmt\n1 | runtime | base | asio\n1 | http | base |\n"
              "2 | h2 | http | nghttp2\n"
              "vendor fmt | everywhere | ^fmt/\nvendor asio | public | ^asio(/|\\.hpp$)\n"
              "vendor nghttp2 | private | ^nghttp2/\n")
    TABLE = ("| 0 | `base` | | |\n| 1 | `runtime` | | base |\n| 1 | `http` | | base |\n"
             "| 2 | `h2` | | http |\n")
    HEAD = f"// {COPYRIGHT}\n// {LICENSE}\n"

    def findings(self, files):
        """Findings on a clean tree to which `files` (path: text after the header lines) are added."""
        tree = {
            "include/pingora/base/bytes.h": "#pragma once\n#include <fmt/core.h>\n",
            "include/pingora/http/uri.h": '#pragma once\n#include "pingora/base/bytes.h"\n',
            "include/pingora/runtime/task.h": "#pragma once\n#include <asio.hpp>\n",
            "include/pingora/h2/engine.h": '#pragma once\n#include "pingora/base/bytes.h"\n',
            "lib/h2/engine.cc": '#include "pingora/h2/engine.h"\n#include <nghttp2/nghttp2.h>\n'
                                '#include <sys/socket.h>\n#include <vector>\n',
            "tests/unit/h2/engine_test.cc": '#include <catch2/catch.hpp>\n#include "h2/engine.h"\n',
        }
        tree.update(files)
        with tempfile.TemporaryDirectory() as root:
            raw = {"cmake/layers.txt": self.LAYERS, "docs/LAYERS.md": self.TABLE}
            raw.update({p: t if p in raw or p.startswith("raw:") else self.HEAD + t
                        for p, t in tree.items()})
            for path, text in raw.items():
                path = os.path.join(root, path.removeprefix("raw:"))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            return check_tree(root)

    def expect(self, files, finding):
        found = self.findings(files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(finding, found[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.findings({}), [])

    def test_upward_include(self):
        self.expect({"lib/base/a.cc": '#include "pingora/http/uri.h"\n'}, "it is not on http")

    def test_upward_include_in_angle_brackets(self):
        self.expect({"lib/base/a.cc": "#include <pingora/http/uri.h>\n"}, "it is not on http")

    def test_upward_include_in_a_unit_test(self):
        self.expect({"tests/unit/base/a_test.cc": '#include "pingora/http/uri.h"\n'}, "not on http")

    def test_sibling_include(self):
        self.expect({"lib/http/a.cc": '#include "pingora/runtime/task.h"\n'}, "not on runtime")

    def test_include_in_a_comment_is_none(self):
        self.assertEqual(self.findings({"lib/base/a.cc": '// #include "pingora/http/uri.h"\n'}), [])

    def test_missing_header(self):
        self.expect({"lib/h2/a.cc": '#include "pingora/http/none.h"\n'}, "does not exist")

    def test_the_header_of_everything(self):
        self.expect({"lib/h2/a.cc": '#include "pingora/pingora.h"\n'}, "precise files")

    def test_private_header_of_a_folder_above(self):
        self.expect({"lib/http/a.cc": '#include "h2/table.h"\n'}, "it is not on h2")

    def test_private_header_of_a_folder_below_is_the_librarys_own(self):
        self.assertEqual(self.findings({"lib/h2/a.cc": '#include "http/table.h"\n'}), [])

    def test_private_header_in_a_public_one(self):
        self.expect({"include/pingora/h2/a.h": '#pragma once\n#include "h2/b.h"\n'}, "the private")

    def test_vendor_outside_its_folder(self):
        self.expect({"lib/http/a.cc": "#include <nghttp2/nghttp2.h>\n"}, "may not use nghttp2")

    def test_private_vendor_in_a_public_header(self):
        self.expect({"include/pingora/h2/a.h": "#pragma once\n#include <nghttp2/nghttp2.h>\n"},
                    "stays in lib/h2")

    def test_unknown_vendor(self):
        self.expect({"lib/base/a.cc": "#include <boost/asio.hpp>\n"}, "vendor is not in")

    def test_undeclared_folder(self):
        self.expect({"lib/extra/a.cc": "\n"}, "extra is not in cmake/layers.txt")

    def test_own_header_is_not_first(self):
        self.expect({"lib/http/uri.cc": '#include <vector>\n#include "pingora/http/uri.h"\n'},
                    "own header first")

    def test_header_lines(self):
        self.expect({"raw:lib/http/a.cc": "int a;\n"}, "copyright and license")
        self.expect({"raw:tests/a.py": "pass\n"}, "copyright and license")

    def test_pragma_once(self):
        self.expect({"lib/http/a.h": "int a;\n"}, "no #pragma once")

    def test_names(self):
        for name in ("utils.cc", "helpers_test.cc", "misc.cc"):
            self.expect({f"tests/{name}": "\n"}, "does not say what is in it")

    def test_layers_that_name_a_higher_floor(self):
        self.expect({"cmake/layers.txt": self.LAYERS.replace("1 | http | base |", "3 | http | base |"),
                     "docs/LAYERS.md": self.TABLE.replace("| 1 | `http`", "| 3 | `http`")},
                    "on a floor above")

    def test_table_that_differs(self):
        self.expect({"docs/LAYERS.md": self.TABLE.replace("| http |", "| |")}, "the row of h2")


def main():
    if sys.argv[1:] == ["--self-test"]:
        unittest.main(argv=sys.argv[:1])
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    findings = check_tree(sys.argv[1])
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
