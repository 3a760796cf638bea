#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Code, manuals and examples say the same: options with defaults, limits and words,
# command lines, mumctl's findings, map names, metrics, reply texts, fields for Dovecot,
# numbers of differences, what Dovecot 2.4 does otherwise, tests of what is promised, the
# version. Run by make check; by hand from anywhere.
# LOG_COMPILER, which make check hands on, runs what is built if the kernel cannot.
set -u
mumd=$PWD/mumd
mumctl=$PWD/mumctl/mumctl
cd "${srcdir:-$(dirname "$0")/..}" || exit

scratch=$(mktemp -d) || exit
trap 'rm -rf "$scratch"' EXIT
status=0

# same WHAT FILE FILE: two sorted lists, one fact on a line.
same() {
	if ! [ -s "$2" ]; then
		echo "$1: $0 finds nothing any more; fix the script"
		status=1
	elif ! diff -u --label "$4" --label "$5" "$2" "$3" >"$scratch/diff"; then
		echo "$1:"
		sed 1,2d "$scratch/diff" | grep '^[-+]'
		echo "(- only $4, + only $5)"
		status=1
	fi
}

# ---- options and defaults: "section.name = value" ----

# The rows of the table, each as OPTION(section, name, OPTION_TYPE, value, words, min, max).
name='\([a-z]*, [a-z_0-9]*\)'
sed -n -e "s/^	PLAIN(\([A-Z]*\), $name, \(.*\)),\$/OPTION(\2, OPTION_\1, \3, NULL, 0, 0)/p" \
	-e "s/^	CHOICE($name, \(.*\)),\$/OPTION(\1, OPTION_CHOICE, \2, 0, 0)/p" \
	-e "s/^	\(NUMBER\|TIME\)($name, \(\"[^\"]*\"\), \(.*\)),\$/OPTION(\2, OPTION_\1, \3, NULL, \4)/p" \
	common/config-options.c >"$scratch/rows"

grep -o 'OPTION([a-z]*, [a-z_0-9]*, OPTION_[A-Z]*,[[:space:]]*"[^"]*"' "$scratch/rows" |
	sed -E -e 's/^OPTION\(([a-z]*), ([a-z_0-9]*), OPTION_([A-Z]*),[[:space:]]*/\3 \1.\2 = /' \
		-e '/^LIST/ { s/ "/ {"/; s/"$/"}/; :item
			s/(\{"[^}]*[^,]) ([^}]*\})/\1", "\2/; t item
			s/\{""\}/{}/
		}' -e 's/^[A-Z]* //' |
	LC_ALL=C sort >"$scratch/table"

# .Ss section, .It Ic name No = value
awk '$1 == ".Ss" { section = $2 }
	$1 == ".It" && $2 == "Ic" && $4 " " $5 == "No =" || $4 == "No" && $5 == "=" {
		name = $3
		sub(/^.*No = /, "")
		gsub(/\\\(dq/, "\"")
		if (/^[0-9a-z]/)
			$0 = "\"" $0 "\""
		print section "." name " = " $0
	}' doc/mum.conf.5 doc/mum-policy.5 | LC_ALL=C sort >"$scratch/manual"
same 'options and defaults' "$scratch/table" "$scratch/manual" common/config-options.c "doc/mum*.5"

# ---- their limits and words: "section.name from 1 to 64", "section.name off" ----

sed 's/^OPTION(//; s/)$//; s/,  */,/g' "$scratch/rows" | awk -F , '
	function shown(value, time) {
		if (!time)
			return value
		if (value < 1000)
			return value " ms"
		if (value < 60000)
			return value / 1000 " s"
		if (value < 3600000)
			return value / 60000 " minute"
		if (value < 86400000)
			return value / 3600000 " hour"
		return value / 86400000 " day"
	}
	$3 ~ /CHOICE/ {
		gsub(/"/, "", $5)
		count = split($5, words, "|")
		for (i = 1; i <= count; i++)
			if (words[i] != "")
				print $1 "." $2 " " words[i]
	}
	$3 ~ /NUMBER|TIME/ {
		most = shown($NF, $3 ~ /TIME/)
		least = shown($(NF - 1), $3 ~ /TIME/)
		print $1 "." $2 ($(NF - 1) == 0 ? " up to " : " from " least " to ") most
	}' | LC_ALL=C sort >"$scratch/limits"

# In the manual: the words are those of .Cm in the text of an option that is one of them.
awk '$1 == ".Ss" { section = $2 }
	/^\.(It|El|Sh|Ss)/ { name = "" }
	$1 == ".It" && $2 == "Ic" { name = section "." $3 }
	name != "" && match($0, /(from [0-9]+( ms| s| minute)? to|up to) [0-9]+( s| minute| hour| day)?/) {
		print name " " substr($0, RSTART, RLENGTH)
	}
	name != "" && $1 == ".Cm" {
		for (i = 2; i <= NF; i++)
			if ($i ~ /^[a-z-]+$/)
				print name " " $i
	}' doc/mum.conf.5 doc/mum-policy.5 | LC_ALL=C sort -u >"$scratch/all"
grep 'OPTION_\(CHOICE\|NUMBER\|TIME\)' "$scratch/rows" |
	sed 's/OPTION(\([a-z]*\), \([a-z_0-9]*\),.*/\1.\2/' >"$scratch/limited"
awk 'NR == FNR { limited[$1]; next } $1 in limited' "$scratch/limited" "$scratch/all" \
	>"$scratch/manual-limits"
same 'limits and words' "$scratch/limits" "$scratch/manual-limits" common/config-options.c "doc/mum*.5"

# The example: what is commented out shows the default; the rest is a setting.
awk '/^[a-z]+ [{]/ { section = $1 }
	/^}/ { section = "" }
	section != "" && match($0, /^ +(# )?[a-z_0-9]+ = /) {
		set = $1 != "#"
		name = set ? $1 : $2
		sub(/^[^=]*= */, "")
		if (match($0, /^("[^"]*"|[{][^}]*[}])/))
			$0 = substr($0, 1, RLENGTH)
		else
			$0 = "\"" $1 "\""
		print section "." name " = " (set ? "set" : $0)
	}' conf-examples/mum.conf | LC_ALL=C sort >"$scratch/example"
# A password is better off in a file, and an empty default has nothing to show.
awk -F ' = ' '
	NR == FNR { shown[$1] = $2; next }
	$1 ~ /\.password$/ && !($1 in shown) { next }
	$1 in shown && (shown[$1] == "set" || $2 == "\"\"") { print $1 " = " shown[$1]; next }
	{ print }' "$scratch/example" "$scratch/table" | LC_ALL=C sort >"$scratch/wanted"
same 'options and defaults' "$scratch/wanted" "$scratch/example" common/config-options.c \
	conf-examples/mum.conf

# ---- mumd's command line ----

sed -n 's/.*getopt(argc, argv, "\([^"]*\)".*/\1/p' postfix-policy/main.c |
	fold -w 1 | grep -v ':' | LC_ALL=C sort >"$scratch/getopt"
sed -n 's/^\.It Fl \([A-Za-z]\).*/\1/p' doc/mumd.8 | LC_ALL=C sort >"$scratch/flags"
same "mumd's options" "$scratch/getopt" "$scratch/flags" postfix-policy/main.c doc/mumd.8
sed -n '/^usage: \|^static const char usage/,/;$/s/^	"  -\([A-Za-z]\).*/\1/p' \
	postfix-policy/main.c | LC_ALL=C sort >"$scratch/usage"
same "mumd's options" "$scratch/getopt" "$scratch/usage" getopt usage

# ---- mumctl: commands with their arguments, options, findings ----

# Without [, ], ..., <, >: a word of the manual is as good in either case.
words='s/[][]//g; s/\.\.\.//; s/  */ /g; s/ $//'
# A line that ends with a backslash goes on in the next.
joined=':line; /\\$/ { N; s/\\\n[[:space:]]*//; b line
}'
sed "$joined" mumctl/commands.h | sed -n 's/^#define USAGE_[A-Z]* "\(.*\)"/\1/p' |
	sed "$words" | tr A-Z a-z | LC_ALL=C sort >"$scratch/usages"
# .It Cm check Op Fl -all
macros="s/ Ns = Ns /=/; s/\\<\\(Oo\\|Oc\\|Op\\|Ar\\|Cm\\) //g; s/ Oc\\>//g; s/ Ar / /g
	s/Fl -/--/g; s/ \.\.\.//; $words; s/=ar /=/"
sed "$joined" doc/mumctl.8 | sed -n '/^\.Sh COMMANDS/,/^\.Sh FILES/s/^\.It Cm //p' |
	sed "$macros" | LC_ALL=C sort >"$scratch/manual-usages"
same "mumctl's commands" "$scratch/usages" "$scratch/manual-usages" mumctl/commands.h \
	doc/mumctl.8

# So does the page of a command that has one.
for page in doc/mumctl-*.8; do
	sed "$joined" "$page" | sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.Cm //p' |
		sed "$macros" >"$scratch/synopsis"
	grep -q -x -F -f "$scratch/usages" "$scratch/synopsis" || {
		echo "$page: not in mumctl/commands.h: $(cat "$scratch/synopsis")"
		status=1
	}
done

sed -n 's/^		{ "\([a-z]*\)", .*_argument.*/--\1/p' mumctl/main.c |
	LC_ALL=C sort >"$scratch/options"
sed -n '/^\.Sh DESCRIPTION/,/^\.Sh COMMANDS/s/^\.It .*Fl -\([a-z]*\).*/--\1/p' doc/mumctl.8 |
	LC_ALL=C sort >"$scratch/manual-options"
same "mumctl's options" "$scratch/options" "$scratch/manual-options" mumctl/main.c doc/mumctl.8

cat mumctl/check/*.c | tr -s '\n\t' '  ' |
	grep -o -E '(report_add|add_finding|add_row|check_duty)\([^;"]*"[a-z0-9-]*"' |
	sed 's/.*"\(.*\)"/\1/' | LC_ALL=C sort -u >"$scratch/codes"
sed -n '/^\.Sh FINDINGS/,/^\.Sh EXIT/s/^\.It Cm //p' doc/mumctl-check.8 >"$scratch/manual-codes"
same "mumctl's findings" "$scratch/codes" "$scratch/manual-codes" 'mumctl/check/*.c' \
	doc/mumctl-check.8

# Those that are as with stock; all others are new.
sed -n '/as_with_stock\[\]/,/};/p' mumctl/check/report.c | grep -o '"[a-z0-9-]*"' | tr -d '"' \
	>"$scratch/as-with-stock"
sed -n '/and may wait:$/,/^\.Bl/s/^\.Cm //p' doc/mumctl-check.8 | tr -s ' ,.' '[\n*]' | sed '/^$/d' \
	>"$scratch/manual-kinds"
same "findings as with stock" "$scratch/as-with-stock" "$scratch/manual-kinds" \
	mumctl/check/report.c doc/mumctl-check.8

# Each EX_ of sysexits(3) that it ends with, out of memory included.
cat mumctl/*.c mumctl/*/*.c common/xalloc.c | grep -o '\<EX_[A-Z]*' | LC_ALL=C sort -u >"$scratch/names"
awk 'NR == FNR { wanted[$1]; next } $1 == "#define" && $2 in wanted { print $3 }' \
	"$scratch/names" /usr/include/sysexits.h | LC_ALL=C sort -u >"$scratch/statuses"
sed -n '/^\.Sh EXIT/,/^\.Sh EXAMPLES/s/^\.It \([0-9][0-9]\)$/\1/p' doc/mumctl.8 \
	>"$scratch/manual-statuses"
same "mumctl's exit statuses" "$scratch/statuses" "$scratch/manual-statuses" 'mumctl/*.c' \
	doc/mumctl.8

# What it prints itself, where it is built.
if [ -x "$mumctl" ]; then
	${LOG_COMPILER-} "$mumctl" --help >"$scratch/help"
	sed -n 's/^  \([a-z].*\)/\1/p' "$scratch/help" | sed 's/   *.*//' | sed "$words" |
		tr A-Z a-z | LC_ALL=C sort >"$scratch/help-usages"
	same "mumctl's commands" "$scratch/usages" "$scratch/help-usages" mumctl/commands.h --help
	sed -n 's/^  [ -].*\(--[a-z]*\) .*/\1/p' "$scratch/help" |
		LC_ALL=C sort >"$scratch/help-options"
	same "mumctl's options" "$scratch/options" "$scratch/help-options" mumctl/main.c --help
	for number in 64 75 78; do
		grep -q -w "$number" "$scratch/help" || { echo "--help lacks $number"; status=1; }
		grep -q -x "\.It $number" doc/mumctl.8 || { echo "doc/mumctl.8 lacks $number"; status=1; }
	done
fi

# ---- maps ----

sed -n 's/^	\[SOCKETMAP_[A-Z]*\] = { "\([a-z-]*\)", MUM_.*/\1/p' postfix-policy/protocol/socketmap.c |
	LC_ALL=C sort >"$scratch/maps"
sed -n '/^\.Sh THE MAPS/,/^\.Sh THE POLICY/s/^\.It Cm //p' doc/mumd.8 |
	LC_ALL=C sort >"$scratch/manual-maps"
same 'maps' "$scratch/maps" "$scratch/manual-maps" postfix-policy/protocol/socketmap.c doc/mumd.8
for file in README.md doc/mum-postfix.7 conf-examples/main.cf; do
	grep -o 'mum/socketmap:[a-z-]*' "$file" | sed 's/.*://; /^$/d' | LC_ALL=C sort -u |
		LC_ALL=C comm -13 "$scratch/maps" - | sed "s|^|$file: no such map: |" >"$scratch/bad"
	if [ -s "$scratch/bad" ]; then
		cat "$scratch/bad"
		status=1
	fi
done

# ---- metrics: each name of the code stands in the manual, and no other ----

grep -o '"\(mumd\|process\)_[a-z_]*[^a-z_]' postfix-policy/protocol/metrics.c | tr -d '"{ ,' |
	sed 's/[^a-z_]*$//' | LC_ALL=C sort -u >"$scratch/metrics"
sed -n '/^\.Sh METRICS/,/^\.Sh SEE/p' doc/mumd-monitoring.8 | grep -o '\(mumd\|process\)_[a-z_]*' |
	LC_ALL=C sort -u >"$scratch/manual-metrics"
same 'metrics' "$scratch/metrics" "$scratch/manual-metrics" postfix-policy/protocol/metrics.c doc/mumd-monitoring.8

# So does each word of a label that says how a request ended.
sed -n '/^static void put_requests/,/^}/s/.*\(= "\|result=\\"\)\([a-z_]*\)\\*".*/\2/p' \
	postfix-policy/protocol/metrics.c | LC_ALL=C sort >"$scratch/results"
sed -n '/^\.It Cm mumd_requests_total/,/^\.It Cm mumd_policy/p' doc/mumd-monitoring.8 | grep '^\.Cm ' |
	tr -s ' ,.' '[\n*]' | grep -v -x -e Cm -e unknown -e '' | LC_ALL=C sort >"$scratch/manual-results"
same 'results of requests' "$scratch/results" "$scratch/manual-results" \
	postfix-policy/protocol/metrics.c doc/mumd-monitoring.8

# ---- reply texts: each of the code stands in the manual ----

grep -o '"[45D][^"]*[0-9]\.[0-9]\.[0-9] [^"]*"' postfix-policy/protocol/action.c postfix-policy/protocol/action.h |
	sed -E 's/^[^"]*"//; s/ ?(%s)?"$//' >"$scratch/replies"
[ -s "$scratch/replies" ] || { echo "$0 finds no reply texts any more"; status=1; }
while read -r reply; do
	grep -q -F -e "$reply" doc/mumd.8 || {
		echo "doc/mumd.8 lacks the reply: $reply"
		status=1
	}
done <"$scratch/replies"

# ---- differences: D1, D2, ... each once ----

sed -n -E 's/^### (D|With an option: D)([0-9]+)[.,].*/\2/p' doc/differences.md |
	sort -n >"$scratch/numbers"
seq "$(wc -l <"$scratch/numbers")" >"$scratch/row"
same 'numbers' "$scratch/numbers" "$scratch/row" doc/differences.md 'a row without gaps'

# What Dovecot 2.4 is excused for in the tests: differences.md names each, with the reason.
{
	sed -n '/# ---- what 2.4 does otherwise/,/# ----$/s/^    \([a-z_][a-z_]*\) = .*/\1/p' \
		tests/lab/dovecot_language.py | grep -v -x as_in_23
	sed -n '/^class Dovecot24/,$s/^    as_in_23 = {\(.*\)}$/\1/p' tests/lab/dovecot_language.py |
		grep -o '"[a-z_]*":' | tr -d '":'
} | LC_ALL=C sort >"$scratch/excuses"
grep -o '<!-- 2\.4: [a-z_]* -->' doc/differences.md | awk '{ print $3 }' |
	LC_ALL=C sort >"$scratch/reasons"
same 'what Dovecot 2.4 does otherwise' "$scratch/excuses" "$scratch/reasons" \
	tests/lab/dovecot_language.py doc/differences.md

# ---- README and its like: files, packages, lines of Postfix, mum.conf ----

grep -o '](\([A-Za-z][A-Za-z0-9._/-]*\))' README.md CONTRIBUTING.md doc/*.md |
	while IFS=: read -r file link; do
		path=$(dirname "$file")/$(echo "$link" | tr -d ']()')
		[ -e "$path" ] || echo "$file: no such file: $path"
	done >"$scratch/links"
if [ -s "$scratch/links" ]; then
	cat "$scratch/links"
	status=1
fi

awk '$1 != "#" && $2 == "build" { print $1 }' tests/packages |
	LC_ALL=C sort >"$scratch/packages"
sed -n '/^apt-get install.* autoconf /,/[^\\]$/p' README.md | tr -s ' \\' '\n' | sed '1,/^--no/d; /^$/d' |
	LC_ALL=C sort >"$scratch/readme"
same 'packages' "$scratch/packages" "$scratch/readme" tests/packages README.md

# debhelper brings autotools along, and build-essential a compiler.
awk '/^[A-Z]/ { inside = $1 == "Build-Depends:" }
	inside && NF && !/nocheck|debhelper|dh-sequence/ { sub(/,.*/, ""); print $1 }' \
	debian/control | sed /:/d | LC_ALL=C sort >"$scratch/depends"
grep -v -x -e autoconf -e automake -e libtool -e gcc -e libc6-dev -e make "$scratch/packages" \
	>"$scratch/wanted"
same 'packages' "$scratch/wanted" "$scratch/depends" tests/packages debian/control

sed -n 's/^AC_INIT(\[mum-mail\], \[\(.*\)\])/\1/p' configure.ac >"$scratch/version"
sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog >"$scratch/packaged"
same 'version' "$scratch/version" "$scratch/packaged" configure.ac debian/changelog

# Who follows README gets the settings of the example, all of them.
awk '/^#|^$/ { next }
	/^[^ ]/ && NR > 1 { printf "\n" }
	{ sub(/^ +/, " "); printf "%s", $0 }
	END { printf "\n" }' conf-examples/main.cf | sed /^$/d | LC_ALL=C sort >"$scratch/settings"
sed -n "s/^    '\([a-z_]* =.*\)'[ \\\\]*\$/\1/p" README.md | LC_ALL=C sort >"$scratch/shown"
same 'settings of Postfix' "$scratch/settings" "$scratch/shown" conf-examples/main.cf README.md

# Each line that README shows for a Dovecot stands in its example, maybe commented out.
for version in 2.3 2.4; do
	example=conf-examples/dovecot-$version.conf
	sed 's/^#\([a-z} ]\)/\1/' "$example" >"$scratch/dovecot"
	awk -v kind="$version" '/^```/ { inside = $0 == "```dovecot-" kind; next } inside' \
		README.md >"$scratch/shown"
	[ -s "$scratch/shown" ] || { echo "README.md shows no lines for Dovecot $version"; status=1; }
	grep -v -x -F -f "$scratch/dovecot" "$scratch/shown" |
		sed "s|^|README.md: not in $example: |" >"$scratch/bad"
	if [ -s "$scratch/bad" ]; then
		cat "$scratch/bad"
		status=1
	fi
done

# So does each line of a display that a manual takes from an example: .\" FILE above it.
awk '/^\.\\" conf-examples\// { from = $2; next }
	/^\.Ed/ { from = "" }
	from != "" && !/^\.Bd/ { print FILENAME "\t" from "\t" $0 }' doc/*.[78] >"$scratch/shown"
[ -s "$scratch/shown" ] || { echo "doc/*.[78] show no lines of conf-examples/"; status=1; }
while IFS='	' read -r file example line; do
	sed 's/^#\([a-z} ]\)/\1/' "$example" | grep -q -x -F -e "$line" || {
		echo "$file: not in $example: $line"
		status=1
	}
done <"$scratch/shown"

# The built mumd reads the mum.conf of README and manual.
sections=$(sed 's/\..*//' "$scratch/table" | sort -u | paste -s -d '|')
if [ -x "$mumd" ]; then
	: >"$scratch/password"
	chmod 600 "$scratch/password"
	for file in README.md doc/mum.conf.5 doc/mum-policy.5 conf-examples/mum.conf; do
		case "$file" in
		*.conf) cat "$file" ;;
		*) sed -n -E "/^($sections) [{]\$/,/^}/p" "$file" ;;
		esac | sed -e "s|\"/etc/mum/[a-z]*\.[a-z]*\"|\"$scratch/password\"|" \
			-e "s|\"/etc/ssl/certs/[a-z.-]*\"|\"$scratch/password\"|" |
			awk -v to="$scratch/block" '
				file ~ /conf$/ { print >to ".1"; next }
				/^[a-z]+ [{]$/ { n++ }
				{ print >to "." n }' file="$file"
		for block in "$scratch"/block.*; do
			echo 'process { user = "nobody" socket_group = "nogroup" }' >>"$block"
			${LOG_COMPILER-} "$mumd" -c "$block" -t >"$scratch/out" 2>&1 || {
				echo "$file: mumd -t says:"
				cat "$scratch/out"
				status=1
			}
		done
		rm -f "$scratch"/block.*
	done
fi

# ---- fields for Dovecot 2.4: each NAME of %{mum:NAME} ----

{
	sed -n 's/^	\[MAIL_[A-Z_0-9]*\] = "\([a-z_0-9]*\)",$/\1/p' common/mail-location.c
	sed -n '/^void userdb_put_all_fields(/,/^}/s/.*put[a-z_]*(.*"\([a-z_][a-z_]*\)".*/\1/p' \
		dovecot-plugin/userdb-fields.c
	sed -n '/^static void put_values(/,/^}/s/.*put(arg, "\([a-z_]*\)".*/\1/p' \
		dovecot-plugin/userdb-mum.c dovecot-plugin/passdb-fields.c
} | LC_ALL=C sort -u >"$scratch/fields"
sed -n '/^\.Sh FIELDS OF YOUR OWN/,/^\.Sh QUOTA/s/^\.Cm \([a-z_0-9]*\).*/\1/p' doc/mum-dovecot.7 |
	LC_ALL=C sort >"$scratch/manual-fields"
same 'fields for Dovecot 2.4' "$scratch/fields" "$scratch/manual-fields" \
	'common/mail-location.c, dovecot-plugin/*.c' doc/mum-dovecot.7

# ---- promises: each names tests that are there ----

grep -o '`test_[a-z0-9_]*`' doc/THREATS.md | tr -d '`' | sort -u >"$scratch/promised"
[ -s "$scratch/promised" ] || { echo "doc/THREATS.md names no tests"; status=1; }
sed -n -E 's/^(def|static void) (test_[a-z0-9_]*)\(.*/\2/p' tests/stack/*.py tests/unit/*.c |
	sort -u >"$scratch/tests"
comm -23 "$scratch/promised" "$scratch/tests" |
	sed 's/^/doc\/THREATS.md: there is no test /' >"$scratch/bad"
awk '!/^\|/ { promises = 0 }
	promises > 1 && !/`test_[a-z0-9_]*`/ { print "doc/THREATS.md: no test shows this: " $0 }
	/^\| must not \|/ { promises = 1; next }
	promises == 1 { promises = 2 }' doc/THREATS.md >>"$scratch/bad"
if [ -s "$scratch/bad" ]; then
	cat "$scratch/bad"
	status=1
fi

# ---- manuals ----

if command -v mandoc >/dev/null 2>&1; then
	# Which other manuals are installed here does not matter; of those mandoc complains on
	# the error output.
	mandoc -T lint doc/*.[0-9] 2>/dev/null |
		grep -v 'referenced manual not found' >"$scratch/lint"
	if [ -s "$scratch/lint" ]; then
		cat "$scratch/lint"
		status=1
	fi
	# Ten minutes are 2,500 words.
	for page in doc/*.[0-9]; do
		count=$(mandoc -T utf8 "$page" | wc -w)
		[ "$count" -le 2500 ] || {
			echo "$page has $count words; split it"
			status=1
		}
	done
fi

# ---- the version ----

version=$(sed -n 's/^AC_INIT(\[mum-mail\], \[\(.*\)\])$/\1/p' configure.ac)
printf '%s\n%s\n' "NEWS $version" "debian/changelog $version" >"$scratch/version"
printf '%s\n%s\n' "NEWS $(sed -n '1s/ .*//p' NEWS)" \
	"debian/changelog $(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" >"$scratch/versions"
same 'the version' "$scratch/version" "$scratch/versions" configure.ac 'what each begins with'

# ---- references ----

# Each page that a page names is there, and names in SEE ALSO what names it there.
for page in doc/*.[0-9]; do
	name=$(basename "$page" | sed 's/\.\(.\)$/ \1/')
	sed -n 's/^\.Xr \(mum[a-z.-]*\) \([0-9]\).*/doc\/\1.\2/p' "$page" | sort -u |
		while read -r other; do
			[ -e "$other" ] || echo "$page: no such file: $other"
		done
	sed -n '/^\.Sh SEE ALSO/,$s/^\.Xr \(mum[a-z.-]*\) \([0-9]\).*/doc\/\1.\2/p' "$page" |
		while read -r other; do
			sed -n '/^\.Sh SEE ALSO/,/^\.Sh [^S]/p' "$other" | grep -q "^\.Xr $name\( ,\)*$" ||
				echo "$other: SEE ALSO lacks $page"
		done
done >"$scratch/references"
if [ -s "$scratch/references" ]; then
	cat "$scratch/references"
	status=1
fi

exit $status
