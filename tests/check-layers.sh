#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Proves what doc/ARCHITECTURE.md says: the arrows between the layers, the doors, and
# the sizes. Runs from the build folder ($srcdir says where the sources are) or from
# anywhere by hand.
# Where objects are built, nm looks for writable globals; where universal-ctags
# is installed (with CI set it must be), functions are measured.
set -u

builddir=$(pwd)
cd "${srcdir:-$(dirname "$0")/..}" || exit 1
LC_ALL=C
export LC_ALL
failed=0

# complain WHAT LINES: LINES are what broke the rule, none if it holds.
complain()
{
	[ -z "$2" ] && return
	echo "check-layers: $1:" >&2
	echo "$2" | sed 's/^/    /' >&2
	failed=1
}

# Sources below the folders that exist.
sources()
{
	for folder in "$@"; do
		[ -d "$folder" ] && find "$folder" -name '*.[ch]'
	done | sort
}

# includes HEADER-REGEX FILES...: include lines of such headers.
includes()
{
	regex=$1
	shift
	[ $# -gt 0 ] && grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$regex" "$@"
}

# only_in WHAT HEADER-REGEX ALLOWED-REGEX: such headers nowhere else.
only_in()
{
	complain "$1" "$(includes "$2" $all | grep -vE "^($3):")"
}

product=$(sources common dovecot-plugin postfix-policy mumctl)
tests=$(sources tests)
all="$product $tests"
common=$(sources common)
[ -n "$common" ] || { echo "check-layers: no sources in $(pwd)" >&2; exit 1; }

# ---- arrows ----

# The list of layers in ARCHITECTURE.md: "FOLDER/ MODULE..."; stores lie in common/.
layers()
{
	sed -n '/^```layers$/,/^```$/ { /^```/d; s,^store-,common/store-,; p; }' doc/ARCHITECTURE.md
}

# prove_layers FILES...: what their include lines break, and what the list does not have.
prove_layers()
{
	{
		layers
		echo
		printf '%s:0:\n' "$@"
		grep -Hn '^#include "' "$@"
	} | awk '
	function module(path) { sub(/\.[ch]$/, "", path); return path }
	/^$/ { edges = 1; next }
	!edges {
		for (i = 2; i <= NF; i++) {
			level[$1 $i] = FNR
			unseen[$1 $i] = 1
		}
		next
	}
	{
		split($0, part, ":")
		split($0, quoted, "\"")
		from = module(part[1])
		to = module(quoted[2])
		delete unseen[from]
		if (!(from in level))
			missing[from] = 1
		else if (to in level && level[to] > level[from])
			print part[1] ":" part[2] ": " quoted[2] " stands below it"
	}
	END {
		for (one in missing)
			print one " stands in no line"
		for (one in unseen)
			print one " is not there"
	}'
}

# circles NAME-REGEX FILES...: what includes what includes it; each path is cut to NAME-REGEX.
circles()
{
	name=$1
	shift
	grep -HoE '^#include "[^"]*' "$@" |
		sed -E "s/:#include \"/ /; s,($name)[^ ]*,\\1,g" | tsort 2>&1 >/dev/null
}

complain "modules know their layer and those above it" "$(prove_layers $product)"
complain "modules do not include each other in a circle" "$(circles '[^ .]+' $product)"
complain "nor do the folders of mumctl/" "$(circles 'mumctl/[^ /.]+' $(sources mumctl))"
complain "common/ knows neither Dovecot nor Postfix" \
	"$(includes '(\.\./)*(dovecot-plugin|postfix-policy|mumctl|tests)/' $common)"
complain "the neighbours do not know each other" "$(
	includes '(\.\./)*(postfix-policy|mumctl|tests)/' $(sources dovecot-plugin)
	includes '(\.\./)*(dovecot-plugin|mumctl|tests)/' $(sources postfix-policy)
	includes '(\.\./)*(dovecot-plugin|tests)/' $(sources mumctl) |
		grep -v '"dovecot-plugin/userdb-fields\.h"')"
for command in check compare explain homes measure; do
	only_in "mumctl/$command/ is for mumctl $command" "mumctl/$command/.*\.h" \
		"mumctl/$command/[^:]*|tests/(unit|fuzz)/[^:]*"
done
only_in "mumctl/reverse/ is for mumctl user and domain, some of it for explain and compare" \
	'mumctl/reverse/.*\.h' 'mumctl/(reverse/[^:]*|user\.c|explain/explain\.c|compare/fallback-names\.c)|tests/(unit|fuzz)/[^:]*'
only_in "<mysql.h> is for store-mariadb/client.h" \
	'(mysql|mariadb)[^"]*\.h' 'common/store-mariadb/client\.h'
only_in "store-mariadb/ keeps its client to itself" \
	'(.*store-mariadb/)?(client|conn|connector)\.h' \
	'common/store-mariadb/[^:]*|postfix-policy/[^:]*|tests/unit/test_(client|connector|host_list)\.c|tests/fakes/fake-conn\.h|tests/fuzz/(fuzz_result|mariadb)\.c'
complain "stores are reached through store.h" "$(
	includes '(.*/)?store-mariadb/' $product | grep -v '^common/store-mariadb/'
	includes '(.*/)?store-sqlite/' $product | grep -v '^common/store-sqlite/')"
only_in "inspect.h is for mumctl" '(.*/)?inspect\.h' 'common/[^:]*|mumctl/(check|compare|homes|measure|reverse)/[^:]*|mumctl/tool\.c|tests/unit/test_inspect\.c'
complain "programs ask through core.h" "$(
	includes 'common/(lookup|fetch|cache|store[^"]*)\.h' \
		$(sources dovecot-plugin postfix-policy mumctl))"
only_in "<sqlite3.h> is for store-sqlite/" 'sqlite3\.h' \
	'common/store-sqlite/[^:]*|tests/unit/test_inspect\.c'
only_in "Unicode libraries are for address-fold.c and text.c" \
	'(idn2|idna|stringprep|uni(case|conv|ctype|gbrk|lbrk|name|norm|stdio|str|types|wbrk|width))\.h' 'common/(address-fold|text)\.c|tests/unit/test_address_fold\.c'
only_in "<crypt.h> is for password-hash.c and mumctl/" 'crypt\.h' \
	'common/password-hash\.c|mumctl/verify\.c|tests/exhaustive/hash\.c'
only_in "libevent is for postfix-policy/" 'event2?[./]' 'postfix-policy/[^:]*'
complain "what differs between Dovecots is for dovecot-2.3.c and dovecot-2.4.c" "$(
	grep -HnE '^[[:space:]]*#[[:space:]]*(if|ifdef|elif)([^n[:alnum:]]|$)' \
		$(find dovecot-plugin -name '*.[ch]' ! -name 'dovecot-2.4.c')
	includes '(auth-cache|auth-worker-[a-z]*|passdb-blocking|settings[a-z-]*)\.h' \
		$(find dovecot-plugin -name '*.[ch]' ! -name '*-2.[34].[ch]')
	includes 'llist\.h' \
		$(find dovecot-plugin -name '*.[ch]' ! -name '*-2.[34].[ch]' ! -name dovecot.h))"
only_in "Dovecot's headers are for dovecot-plugin/" \
	'(auth-common|auth-request|passdb|userdb|lib|ioloop|module-dir)\.h' \
	'dovecot-plugin/[^:]*'

pure=
for module in protocol/* send/gcra send/check send/limits send/table send/table-text quota/rooms \
	quota/settings; do
	pure="$pure $(find postfix-policy -path "postfix-policy/$module.[ch]")"
done
for module in compare/mail-log compare/dovecot-conf compare/dovecot-sql compare/dovecot-vars \
	compare/lists compare/effects compare/numbers check/alias-graph reverse/way-graph \
	reverse/name-index doveadm-sizes paths sender-checks; do
	pure="$pure $(find mumctl -path "mumctl/$module.[ch]")"
done
complain "parsers do no I/O" \
	"$(includes '(event2?[./]|sys/|netinet/|arpa/|netdb\.h|unistd\.h|poll\.h|fcntl\.h)' $pure
	includes 'postfix-policy/[^/]*\.h' $pure)"

# Deadlines, caches and pauses must not move when somebody sets the clock: they
# go by host_now(), CLOCK_MONOTONIC. The time of day is for the times
# in MUM's tables (deactivate_at, created_at), which the hosts' wall() and mumctl
# give, for the metric of when mumd was started, and for the stamps of log lines.
complain "the time of day is for MUM's columns, the start of mumd and log lines" "$(
	grep -HnE '(^|[^_[:alnum:]])time\((NULL|0|&)|CLOCK_REALTIME|gettimeofday|timespec_get' \
		$product | grep -vE '^(dovecot-plugin/host-dovecot|postfix-policy/(host-libevent|main|syslog-socket)|mumctl/tool)\.c:[0-9]+:.*time\(NULL\)')"

# ---- one door ----

complain "a state is assigned in one function, *set_state()" "$(
	awk '/^[^\t#/}].*set_state\(/ { inside = 1 }
	     /^}/ { inside = 0 }
	     /->state[[:space:]]*=[^=]/ && !inside { print FILENAME ":" FNR ": " $0 }' \
		$product)"

# ---- no writable globals in common/ ----

objects=
[ -d "$builddir/common" ] &&
	objects=$(find "$builddir/common" -name '*.o' -path '*/.libs/*')
if [ -n "$objects" ] && command -v nm >/dev/null 2>&1; then
	# Const tables of pointers lie in .data.rel.ro, which nm shows as d. What
	# sanitizers add is theirs.
	complain "common/ has no writable globals" "$(nm -A -f sysv $objects 2>/dev/null |
		awk -F'|' '{ gsub(/[[:space:]]/, "") }
			$3 ~ /^[bBdDCsSgG]$/ && $4 != "SECTION" && $4 != "FILE" &&
			$7 !~ /^\.data\.rel\.ro/ &&
			$1 !~ /:(\.L|L?_*(asan|ubsan|odr_asan|sancov|gcov|llvm|unnamed))/ { print $1 }')"
fi

# ---- sizes ----

# larger LINES FILES...: files with more lines.
larger()
{
	limit=$1
	shift
	wc -l "$@" | awk -v limit="$limit" '$1 > limit && $2 != "total" { print $2 ": " $1 " lines" }'
}

scripts=$(find tests -name '*.py' -o -name '*.sh' | sort)
complain "files have at most 500 lines" "$(larger 500 $product)"
complain "headers have at most 120 lines" "$(larger 120 $(echo "$all" | grep '\.h$'))"
complain "tests have at most 700 lines" "$(larger 700 $tests $scripts)"
if ctags --version 2>/dev/null | grep -q 'Universal Ctags'; then
	complain "functions have at most 50 lines" \
		"$(ctags -f - --languages=C,Python --kinds-C=f --kinds-Python=fm --fields=+ne \
			$all $scripts |
		awk -F'\t' '{ line = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (end - line + 1 > 50)
				print $2 ": " $1 "() has " end - line + 1 " lines" }')"
elif [ -n "${CI:-}" ]; then
	complain "universal-ctags is required" "apt-get install universal-ctags"
fi

# ---- licence ----

complain "each source file has an SPDX line" "$(
	for file in $all $(find tests -name '*.py' -o -name '*.sh' -o -name '*.am' \
		-o -name run) Makefile.am configure.ac bootstrap; do
		[ -f "$file" ] && ! head -n 3 "$file" | grep -q SPDX-License-Identifier &&
			echo "$file"
	done)"

exit $failed
