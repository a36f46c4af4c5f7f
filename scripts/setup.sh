#!/usr/bin/env bash
# Make this checkout ready to run: system packages (said first), .venv from the lock, the extension.
# Safe to run again: what is in place is left alone. Usage: scripts/setup.sh [--ui-tests]
set -euo pipefail
cd "$(dirname "$0")/.."

ui_tests=no
[ "${1:-}" = "--ui-tests" ] && ui_tests=yes

say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- what must be there ------------------------------------------------------------------------
python=""
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
  if command -v "$candidate" >/dev/null 2>&1 &&
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || fail "needs Python 3.11 or newer; set PYTHON to one"
command -v node >/dev/null 2>&1 || fail "needs Node 20 or newer (package nodejs, or nodejs.org)"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] ||
  fail "needs Node 20 or newer; this is $(node --version)"

# --- system packages ---------------------------------------------------------------------------
wanted=()
has_package() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
want() { has_package "$1" || wanted+=("$1"); }
if command -v apt-get >/dev/null 2>&1; then
  for package in fuse3 libfuse3-dev pkg-config gcc; do want "$package"; done
  case "$(command -v "$python")" in
    # Debian keeps the headers and venv of its own Python in packages of their own.
    /usr/bin/*) want python3-dev; want python3-venv ;;
  esac
  if [ "$ui_tests" = yes ]; then
    for package in chromium fonts-dejavu-core postgresql rsync; do want "$package"; done
    # A real S3 server; tests that want one use moto where it is missing.
    for package in radosgw ceph-mon ceph-osd; do want "$package"; done
  fi
fi
if [ "${#wanted[@]}" -gt 0 ]; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
  say "System packages to install: ${wanted[*]}"
  if $sudo true 2>/dev/null; then
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends \
      "${wanted[@]}" >/dev/null
  else
    echo "No right to install them here. Going on without; to get them, run:"
    echo "  sudo apt-get install --no-install-recommends ${wanted[*]}"
  fi
fi

# --- Python ------------------------------------------------------------------------------------
uv_version=0.13.8
if [ ! -x .venv/bin/python ]; then
  say "Making .venv with $("$python" --version)"
  "$python" -m venv .venv
fi
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi
stamp=.venv/.setup
fingerprint=$(cat requirements/*.txt pyproject.toml | sha256sum)
fuse=no
if command -v pkg-config >/dev/null 2>&1 && pkg-config --exists fuse3; then fuse=yes; fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint $fuse" ]; then
  say "Installing the locked Python packages"
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes \
    -r requirements/lock.txt
  if [ "$fuse" = yes ]; then
    .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes \
      -r requirements/fuse.txt
  else
    echo "Without libfuse3 there is no FUSE mount; 'datalake doctor' says what takes its place."
  fi
fi

# --- the extension -----------------------------------------------------------------------------
export PATH="$PWD/.venv/bin:$PATH"
if [ ! -d node_modules ] || [ yarn.lock -nt node_modules/.yarn-state.yml ]; then
  say "Installing the locked npm packages"
  jlpm install --immutable >/tmp/jlpm-$$.log 2>&1 || { cat /tmp/jlpm-$$.log; fail "jlpm failed"; }
  rm -f /tmp/jlpm-$$.log
fi
built=jupyter_datalake/labextension/package.json
if [ ! -f "$built" ] ||
  [ -n "$(find src style schema package.json tsconfig.json -newer "$built" -print -quit)" ]; then
  say "Building the extension"
  jlpm build:prod >/tmp/build-$$.log 2>&1 || { cat /tmp/build-$$.log; fail "the build failed"; }
  rm -f /tmp/build-$$.log
fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint $fuse" ]; then
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
  jupyter-builder develop . --overwrite >/dev/null
  echo "$fingerprint $fuse" >"$stamp"
fi
if [ "$ui_tests" = yes ] &&
  { [ ! -d tests/ui/node_modules ] ||
    [ tests/ui/package-lock.json -nt tests/ui/node_modules/.package-lock.json ]; }; then
  say "Installing the locked packages of the browser tests"
  (cd tests/ui && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-fund --no-audit --loglevel=error)
fi
