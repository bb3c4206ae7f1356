#!/bin/sh
# Find or install the Chromium and the redis-server that the tests use.
# Standard output is the Chromium's path, empty for Playwright's own; the rest goes to standard error.
set -eu

say() { echo "==> $*" >&2; }

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"

may_install() { command -v apt-get >/dev/null && $as_root true 2>/dev/null; }

debian_install() {
    may_install || return 1
    say "Installing Debian's package $1"
    { $as_root apt-get -q -y update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y install --no-install-recommends "$1"; } >/dev/null 2>&1 </dev/null
}

# Ubuntu's chromium-browser may be a stub that only names a snap, so each has to start.
find_chromium() {
    for name in chromium chromium-browser google-chrome; do
        if "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if ! command -v redis-server >/dev/null && ! debian_install redis-server; then
    say "The tests need redis-server: install Redis, on Debian and Ubuntu the package redis-server"
    exit 1
fi

if find_chromium || { debian_install chromium && find_chromium; }; then
    exit
fi
say "Installing Playwright's own Chromium"
playwright install $(may_install && echo --with-deps) chromium >&2 || {
    say "The tests need a Chromium: install one, on Debian the package chromium"
    exit 1
}
