# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Shell functions of ./demo and ./check. They build from a copy of the tree, so
# that the checkout stays clean and may be configured for something else.

# stage_source DIR: brings the copy in DIR up to date and bootstraps it. Times
# are kept, so that make sees what changed.
stage_source() {
	mkdir -p "$1/build-aux" || return
	tar -cf - --anchored \
		--exclude=./.git --exclude='./build-*' --exclude=./autom4te.cache \
		--exclude=./configure --exclude=./config.log --exclude=./config.status --exclude=./libtool \
		--exclude=./Makefile --exclude=./Makefile.in --exclude=./aclocal.m4 \
		--exclude='./mum-config.h*' --exclude=./stamp-h1 --exclude=./mumd \
		--exclude='./mum-mail-*' \
		--no-anchored --exclude='*.o' --exclude='*.lo' --exclude='*.la' \
		--exclude='*.log' --exclude='*.trs' --exclude='*.pyc' \
		--exclude=.libs --exclude=.deps --exclude=.dirstamp \
		--exclude=__pycache__ --exclude=.pytest_cache \
		. | tar -xf - -C "$1" || return
	[ -e "$1/configure" ] || "$1/bootstrap"
}

# build SOURCE DIR [configure's options]: builds the staged SOURCE in DIR.
build() {
	(
		source=$(cd "$1" && pwd) && mkdir -p "$2" && cd "$2" || exit
		shift 2
		[ -e config.status ] || "$source/configure" -q "$@" || exit
		make -s -j2
	)
}
