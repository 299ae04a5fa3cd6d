# Thin front to CMake: the presets hold the settings. `make help` lists the targets.
PREFIX ?= /usr/local
PROGRAM := build/release/stwatch
EXAMPLE := $(wildcard examples/traces/*.trace)

.PHONY: build deps run test test-all bench truth truth-healthy fuzz lint format install clean help
.DEFAULT_GOAL := build

deps: ## install what is missing to build and test
	@tools/install-deps.sh

build: deps ## build the release: build/release/stwatch and the library beside it
	@tools/build.sh release

run: build ## diagnose the bundled example traces
	@for trace in $(EXAMPLE); do echo "$$ $(PROGRAM) diagnose $$trace"; $(PROGRAM) diagnose "$$trace" || exit $$?; done

test: build ## the tests, as released and under ASan and UBSan, and a minute of fuzzing where there is a fuzzer
	@tools/build.sh asan
	ctest --preset release
	ctest --preset asan
	@tools/fuzz-smoke.sh

test-all: export STWATCH_HEAVY = 1
test-all: test ## more and longer: every mutant, debug, ThreadSanitizer, the build with every optional part off
	@tools/build.sh debug && ctest --preset debug
	@tools/build.sh tsan && ctest --preset tsan
	@tools/build.sh minimal
	build/minimal/stwatch --version
	@python3 tests/fuzz/differential.py $(PROGRAM) 300 || [ $$? = 77 ]

bench: build ## measure speed and memory
	@bench/run.sh $(PROGRAM)

truth: build ## judge diagnoses against recorded ground truth
	python3 truth/run.py --stwatch $(PROGRAM)

truth-healthy: build ## record healthy programs afresh, and read what is said of them
	python3 truth/healthy.py --stwatch $(PROGRAM)

fuzz: deps ## fuzz each target for a minute (FUZZ_SECONDS=60); needs clang; then against Go's own reader
	@tools/build.sh fuzz --target fuzz_targets
	@tools/fuzz.sh build/fuzz $${FUZZ_SECONDS:-60}
	@tools/build.sh release --target stwatch
	@python3 tests/fuzz/differential.py $(PROGRAM) $${FUZZ_SECONDS:-60} || [ $$? = 77 ]

lint: build ## clang-tidy, cppcheck and the formatter's opinion
	@tools/lint.sh

format: ## format the sources in place
	git ls-files 'src/*.[ch]' 'cli/*.[ch]' 'tests/*.[ch]' | xargs clang-format -i

install: build ## install under PREFIX (/usr/local)
	cmake --install build/release --prefix $(PREFIX)

clean: ## remove what was built
	rm -rf build

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12
