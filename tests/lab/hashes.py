# SPDX-License-Identifier: MIT
"""Password hashes of every kind that MUM, or an import into it, may have written."""

import ctypes
import functools

BCRYPT_SALT = "abcdefghijklmnopqrstuu"


@functools.lru_cache(None)
def _libcrypt():
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library


@functools.lru_cache(None)
def _sodium():
    library = ctypes.CDLL("libsodium.so.23")
    library.sodium_init()
    return library


def crypt(password, setting):
    password = password.encode() if isinstance(password, str) else password
    result = _libcrypt().crypt(password, setting.encode())
    if result is None or result.startswith(b"*"):
        raise ValueError(f"crypt() knows no setting {setting!r}")
    return result.decode()


@functools.lru_cache(None)
def bcrypt(password="secret", cost=5, kind="2y"):
    return crypt(password, f"${kind}${cost:02}${BCRYPT_SALT}")


@functools.lru_cache(None)
def sha256(password="secret", rounds=None):
    return crypt(password, "$5$" + (f"rounds={rounds}$" if rounds else "") + "saltsalt$")


@functools.lru_cache(None)
def sha512(password="secret", rounds=None):
    return crypt(password, "$6$" + (f"rounds={rounds}$" if rounds else "") + "saltsalt$")


@functools.lru_cache(None)
def yescrypt(password="secret", cost="j75"):
    return crypt(password, f"$y${cost}$abcdefghijklmnop$")


@functools.lru_cache(None)
def argon2(password="secret", kind="id", time=3, memory_kib=1024):
    out = ctypes.create_string_buffer(128)
    text = password.encode()
    if _sodium().crypto_pwhash_str_alg(
            out, text, ctypes.c_ulonglong(len(text)), ctypes.c_ulonglong(time),
            ctypes.c_size_t(memory_kib * 1024), {"i": 1, "id": 2}[kind]) != 0:
        raise ValueError("crypto_pwhash_str_alg() failed")
    return out.value.decode()


def argon2_verify(password, stored):
    text = password.encode()
    return _sodium().crypto_pwhash_str_verify(stored.encode(), text,
                                              ctypes.c_ulonglong(len(text))) == 0
