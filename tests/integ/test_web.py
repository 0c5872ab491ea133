#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page's own tests: the compiler's strict check, then node's runner over models, states, dashboards and API answers."""
import pathlib
import shutil
import subprocess
import sys

WEB = pathlib.Path(__file__).resolve().parents[2] / "web"


def main():
    if not shutil.which("npm") or not (WEB / "node_modules").is_dir():
        print("no npm or no web/node_modules: `make web` fetches the page's packages", file=sys.stderr)
        return 1
    for step in ("check", "test"):
        if subprocess.run(["npm", "run", "--silent", step], cwd=WEB, stdin=subprocess.DEVNULL, check=False).returncode:
            return 1
    return 0


sys.exit(main())
