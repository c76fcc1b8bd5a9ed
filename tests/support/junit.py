#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns a JUnit file of Catch2 into lines "ok|FAIL|skip BINARY: test case". Arguments: name, file, exit status."""
import sys
import xml.etree.ElementTree


def main(name, path, status):
    failed = 0
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (xml.etree.ElementTree.ParseError, OSError):
        print(f"FAIL {name}: ended with status {status} before its report was whole")
        return
    cases = {}
    for case in root.iter("testcase"):
        key = case.get("name", "").split("/")[0]
        kinds = {child.tag for child in case}
        verdict = "FAIL" if kinds & {"failure", "error"} else "skip" if "skipped" in kinds else "ok"
        # Sections of one test case are one test: the worst of them counts.
        rank = ["ok", "skip", "FAIL"]
        cases[key] = max(cases.get(key, "ok"), verdict, key=rank.index)
    for key, verdict in cases.items():
        failed += verdict == "FAIL"
        print(f"{verdict} {name}: {key}")
    if status != 0 and failed == 0:
        print(f"FAIL {name}: ended with status {status}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
