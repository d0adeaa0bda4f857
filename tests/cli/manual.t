#!/usr/bin/env bash
# The manuals say what the programs say: each option of --help is in the manual, and the other way
# round; the manual page is well-formed.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

# The long options in a text, one a line. Only those a line begins with are a program's own.
options_shown() { grep -oE '^ *--[a-z][a-z-]*' | tr -d ' ' | sort -u; }
options_named() { grep -oE -e '(^|[^a-z0-9-])--[a-z][a-z-]*' | sed 's/^[^-]*//; s/-*$//' | sort -u; }

# Commands of zvmm have a help of their own.
commands=$(./zvmm --help | sed -n '/^Commands:/,$s/^  zvmm \([a-z]*\) .*/\1/p')
help() {
    ./zvmm --help
    for command in $commands; do ./zvmm "$command" --help 2>/dev/null; done
}
man_text() { mandoc -T ascii -O width=200 docs/zvmm.1 | sed 's/.\x08//g'; }

if ! command -v mandoc >/dev/null; then
    skip 'zvmm.1' 'mandoc is missing: make setup'
else
    case_run 'zvmm.1 is well-formed' 0 mandoc -T lint -W warning docs/zvmm.1
    help >"$TAP_DIR/help"
    man_text >"$TAP_DIR/man"
    for option in $(options_shown <"$TAP_DIR/help"); do
        expect "zvmm.1 describes $option" grep -qE -e "(^|[^a-z-])$option([^a-z-]|\$)" "$TAP_DIR/man"
    done
    for option in $(options_shown <"$TAP_DIR/man"); do
        expect "help names $option" grep -qE -e "(^|[^a-z-])$option([^a-z-]|\$)" "$TAP_DIR/help"
    done
    for command in $commands; do
        expect "zvmm.1 describes zvmm $command" grep -qE "zvmm $command" "$TAP_DIR/man"
    done
fi

./zlibos --help >"$TAP_DIR/help"
for option in $(options_shown <"$TAP_DIR/help"); do
    expect "libos.md names $option" grep -qF -e "\`$option\`" docs/libos.md
done
for option in $(options_named <docs/libos.md); do
    expect "zlibos' help names $option" grep -qF -e "$option" "$TAP_DIR/help"
done
finish
