#!/bin/sh
# Installs what the build and the tests need and this machine lacks (Debian and its like).
# Says what it installs. Where it may not, it names what is missing and fails.
set -eu

missing=
need() { # PACKAGE, then a command that succeeds when it is there
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_header() { # a header that the C compiler finds
	printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\n' "$1" | cc -E -x c - 2>/dev/null
}

need cmake command -v cmake
need ninja-build command -v ninja
need gcc command -v cc
need libc6-dev has_header stdio.h
need pkg-config command -v pkg-config
need zlib1g-dev has_header zlib.h
need libzstd-dev has_header zstd.h
need libprotobuf-c-dev has_header protobuf-c/protobuf-c.h
need protobuf-c-compiler command -v protoc-c
need libcurl4-openssl-dev has_header curl/curl.h
need libcmocka-dev has_header cmocka.h
need python3 command -v python3
has_module() { python3 -c "import $1" || /usr/bin/python3 -c "import $1"; } # python3 may be another than Debian's
need python3-jsonschema has_module jsonschema

[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "install-deps: missing:$missing (there is no apt-get here: install them by this system's own means)" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "install-deps: missing:$missing (not root: run  apt-get install$missing  as root)" >&2
	exit 1
fi

echo "install-deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends $missing >/dev/null 2>&1; }
# Stale or absent package lists are the usual reason for a failure: refresh them once.
install || { apt-get update >/dev/null && install; } || {
	echo "install-deps: apt-get could not install:$missing" >&2
	exit 1
}
