#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asks Postfix's own split_addr() where each extension begins.

Reads the lines of `extension --print`: delimiters, local part and our answer. The
function is that of the installed Postfix's library, which all of its daemons call. It is
called directly, because postmap(1) takes each key as it is and splits none: only a daemon
does, on its way to a table, and smtpd would need a dialogue for each of the questions.
"""

import ctypes
import sys

FOLDER = "/usr/lib/postfix/"
SHOWN_MAX = 20


def load():
    """The function, as daemons have it after they read main.cf."""
    # It takes what it needs from whoever loads it, as a daemon of Postfix does.
    ctypes.CDLL(FOLDER + "libpostfix-util.so", mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(FOLDER + "libpostfix-global.so")
    # Postfix's defaults, which the core assumes.
    ctypes.c_int.in_dll(library, "var_ownreq_special").value = 1
    ctypes.c_char_p.in_dll(library, "var_double_bounce_sender").value = b"double-bounce"
    function = library.split_addr_internal
    function.restype = ctypes.c_char_p
    function.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return function


def split(function, local, delimiters):
    """What stands before the extension, as bytes."""
    buffer = ctypes.create_string_buffer(local)
    function(buffer, delimiters)
    return buffer.value


def main():
    function = load()
    lines = differ = 0
    for line in sys.stdin.buffer:
        delimiters, local, cut = line.rstrip(b"\n").split(b"\t")
        text, cut = local.decode(), int(cut)
        # smtpd folds its keys.
        want = split(function, text.casefold().encode(), delimiters)
        head = local[:cut].decode().casefold().encode()
        # A letter of which Postfix cuts the folded form in two is not cut by us.
        whole = head == want or (
            local[cut:].decode()[:1].casefold().encode()[:1] == want[len(head):]
            and want.startswith(head) and len(want) - len(head) == 1)
        lines += 1
        if not whole:
            differ += 1
            if differ <= SHOWN_MAX:
                print(f"differs: {text} with {delimiters.decode()!r}: we cut before "
                      f"{local[cut:].decode()!r}, Postfix leaves {want.decode()}",
                      file=sys.stderr)
    print(f"split_addr: {lines} questions, {differ} differ")
    return 1 if differ or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
