#!/bin/sh
# Static analysis and formatting; a tool that is not installed is named and passed over.
set -eu
cd "$(dirname "$0")/.."
failed=0
sources=$(git ls-files 'src/*.c' 'cli/*.c')
all=$(git ls-files 'src/*.[ch]' 'cli/*.[ch]' 'tests/*.[ch]')

with() { command -v "$1" >/dev/null 2>&1 || { echo "lint: $1 is not installed, passed over"; return 1; }; }

if with clang-format; then clang-format --dry-run -Werror $all || failed=1; fi
if with cppcheck; then
	# It trips over ranges of designators and some conditional expressions (GNU C, compound literals), and takes what a call fills in for not set.
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 --suppress=internalAstError --suppress=ctuPointerArith \
		-Iinclude -Isrc -I. $sources || failed=1
fi
if with clang-tidy; then
	tools/build.sh debug >/dev/null # for compile_commands.json: clang can't read the release's LTO flags
	clang-tidy --quiet -p build/debug $sources || failed=1
fi
python3 tools/check-layering.py || failed=1
exit $failed
