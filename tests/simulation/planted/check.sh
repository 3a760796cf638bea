#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Says which patch here does not apply to the code as it is now.
set -eu

cd "$(dirname "$0")/../../.."
status=0

for patch in tests/simulation/planted/*.patch; do
	patch -p1 -F0 -s -f --dry-run -r - <"$patch" || {
		echo "$patch does not apply: make the same mistake in the code as it is" >&2
		status=1
	}
done
exit $status
