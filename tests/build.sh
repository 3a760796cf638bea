# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Shell functions of ./demo and ./check. They build from a copy of the tree, so
# that the checkout stays clean and may be configured for something else.

# known_system NAME: says on NAME's behalf, before anything is installed, what cannot be done
# on this system: nothing on Debian 12 and 13. Returns 77 where NAME cannot work at all.
known_system() {
	# shellcheck disable=SC1091
	system=$({ . /etc/os-release && echo "$ID ${VERSION_ID-} $PRETTY_NAME"; } 2>/dev/null) ||
		system=
	name=${system#* * }
	case "$system" in
	'debian 12 '* | 'debian 13 '*) return ;;
	'debian '[0-9]' '* | 'debian 1'[01]' '*)
		echo "$1: needs Debian 12 or 13: Dovecot and SQLite of $name are too old" >&2
		return 77
		;;
	esac
	echo "$1: made for Debian 12 and 13, and not tried on ${name:-this system}" >&2
	command -v apt-get >/dev/null 2>&1 ||
		echo "$1: no packages are installed here; tests/packages lists what is needed" >&2
}

# copy_source DIR: copies the tree, changes included, without what .gitignore lists. Times
# are kept, so that make sees what changed.
copy_source() {
	mkdir -p "$1/build-aux" || return
	tar -cf - --anchored \
		--exclude=./.git --exclude='./build-*' --exclude=./autom4te.cache \
		--exclude=./configure --exclude=./config.log --exclude=./config.status --exclude=./libtool \
		--exclude=./Makefile --exclude=./Makefile.in --exclude=./aclocal.m4 \
		--exclude='./mum-config.h*' --exclude=./stamp-h1 --exclude=./mumd \
		--exclude=./mumctl/mumctl --exclude='./mum-mail-*' \
		--exclude=./debian/.debhelper --exclude='./debian/*.debhelper*' \
		--exclude='./debian/*.substvars' --exclude=./debian/debhelper-build-stamp \
		--exclude=./debian/files --exclude=./debian/mumd \
		--exclude=./debian/dovecot-auth-mum --exclude=./debian/tmp \
		--no-anchored --exclude='*.o' --exclude='*.lo' --exclude='*.la' \
		--exclude='*.log' --exclude='*.trs' --exclude='*.pyc' \
		--exclude=.libs --exclude=.deps --exclude=.dirstamp \
		--exclude=__pycache__ --exclude=.pytest_cache \
		. | tar -xf - -C "$1"
}

# stage_source DIR: brings the copy in DIR up to date and bootstraps it.
stage_source() {
	copy_source "$1" || return
	[ -e "$1/configure" ] || "$1/bootstrap"
}

# build SOURCE DIR [configure's options]: builds the staged SOURCE in DIR. Where sh is dash,
# libtool takes half as long as with bash, which configure would choose.
build() {
	(
		source=$(cd "$1" && pwd) && mkdir -p "$2" && cd "$2" || exit
		shift 2
		[ -e config.status ] || CONFIG_SHELL=/bin/sh /bin/sh "$source/configure" -q "$@" || exit
		make -s -j2
	)
}

# build_fuzz SOURCE DIR [make's arguments]: the fuzz targets alone, with clang.
build_fuzz() {
	(
		source=$(cd "$1" && pwd) && mkdir -p "$2" && cd "$2" || exit
		shift 2
		[ -e config.status ] || CONFIG_SHELL=/bin/sh /bin/sh "$source/configure" -q || exit
		make -s -j2 fuzz "$@"
	)
}
