# zvmm: the VMM, the guest kernel, the boot images and their tests.
#
#   make            builds ./zvmm and ./guest.elf (and ./zcc, the SDK wrapper)
#   make help       lists the targets
#   V=1             shows the commands, CC=clang uses clang, T=name picks a test
#
# Each folder is compiled with only the include paths that docs/architecture.md lets it see, so a
# dependency in the wrong direction does not compile.

OBJ := obj
CC := gcc
ifeq ($(V),)
Q := @
endif
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wvla
BASE := -std=gnu11 -O2 -g $(WARN) -MMD -MP
# A function of the kernel lies in its cache lines alike whatever is linked before it: else a change
# elsewhere makes calls up to 5 ns slower or faster.
PLACED := -falign-functions=64
include Makefile.kernel
include Makefile.vmm
include Makefile.libos
include images/vdso/Makefile.inc
include images/Makefile.inc
include tests/Makefile.inc
include tests/bench/Makefile.inc
include tests/fuzz/Makefile.inc

.PHONY: all help setup clean
all: zvmm guest.elf zcc guest-gdb.py

help:
	@echo 'make            build ./zvmm, ./guest.elf and ./zcc'
	@echo 'make libos      build ./zlibos, the kernel as a Linux process'
	@echo 'make setup      install the Debian packages that building and testing need, and build'
	@echo 'make check      quick tests, under 2 minutes (T=NAME runs one)'
	@echo 'make test       all tests: unit, sanitizers, valgrind, in-guest on this KVM, the nested rig'
	@echo 'make test-unit  host unit tests        make test-guest  programs in the guest'
	@echo 'make test-cli   command-line tests     make test-rig    the guest on the nested rig'
	@echo 'make bench      measure, here and on the rig; report in obj/bench (report.txt, html/)'
	@echo 'make fuzz       fuzz the system calls for T=60 seconds'
	@echo 'make conformance  run core-tests in the guest and write docs/conformance.md'
	@echo 'make headers    compile each contract header alone'
	@echo 'make format     clang-format the sources'
	@echo 'make clean      remove what was built'

PACKAGES := gcc clang make libelf-dev libdw-dev zlib1g-dev liblzma-dev libbz2-dev musl-dev \
	libcmocka-dev libbsd-dev qemu-system-x86 busybox-static cpio perl xz-utils kmod \
	libclang-rt-14-dev valgrind mandoc binutils expect gnuplot-nox \
	libxxhash-dev libzstd-dev libjansson-dev libseccomp-dev graphviz gdb spin

# Only apt-get runs as root; what it needs for that is found here.
AS_ROOT = $(if $(filter 0,$(shell id -u)),env,$(if $(shell command -v sudo),sudo env))
setup:
	$(Q)test -n '$(AS_ROOT)' || { echo 'make setup: installing packages needs root, and there is no sudo: run it as root' >&2; exit 1; }
	$(Q)$(AS_ROOT) apt-get update -q
	$(Q)$(AS_ROOT) DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(PACKAGES)
	$(Q)$(MAKE) --no-print-directory all

clean:
	$(Q)rm -rf $(OBJ) zvmm guest.elf guest-gdb.py zlibos zlibos-asan zcc

.PHONY: headers format
headers: $(patsubst shared/%.h,$(OBJ)/headers/%.ok,$(wildcard shared/*.h shared/zircon/*.h))
$(OBJ)/headers/%.ok: shared/%.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -ffreestanding $(WARN) -Wno-unused-function -Ishared -fsyntax-only -x c $<
	$(Q)touch $@

format:
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')
