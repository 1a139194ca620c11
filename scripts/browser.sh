#!/bin/sh
# The browser tests drive Debian's Chromium; on other systems name one with CHROMIUM=/path.
set -eu
[ -n "${CHROMIUM:-}" ] && exit 0
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core
else
  echo "Chromium is missing. Run: sudo apt-get install chromium   (or set CHROMIUM=/path/to/chromium)"; exit 1
fi
