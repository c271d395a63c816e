#!/usr/bin/env bash
# Installs the libraries into a virtual environment of this folder.
set -euo pipefail
cd "$(dirname "$0")"
wanted=$(python3 --version && cat requirements.txt)
[ "$(cat dist/installed 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf dist
python3 -m venv dist
dist/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r requirements.txt
echo "$wanted" >dist/installed
