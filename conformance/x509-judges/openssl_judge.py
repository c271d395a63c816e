"""Judges certificate chains by OpenSSL's own path validation, as an adversary of ours.

Reads one JSON array of cases from standard input and writes one JSON array of verdicts, "ok" or OpenSSL's reason.
It calls libcrypto by ctypes: no compiler, no headers, and no process a chain.
"""

import base64
import ctypes
import ctypes.util
import json
import sys

PARTIAL_CHAIN = 0x80000  # an anchor need not be self-signed: RFC 5280 asks that of none

POINTER = ctypes.c_void_p


def load():
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    calls = {
        "d2i_X509": (POINTER, [POINTER, ctypes.POINTER(ctypes.c_char_p), ctypes.c_long]),
        "X509_free": (None, [POINTER]),
        "X509_STORE_new": (POINTER, []),
        "X509_STORE_free": (None, [POINTER]),
        "X509_STORE_add_cert": (ctypes.c_int, [POINTER, POINTER]),
        "X509_STORE_CTX_new": (POINTER, []),
        "X509_STORE_CTX_free": (None, [POINTER]),
        "X509_STORE_CTX_init": (ctypes.c_int, [POINTER] * 4),
        "X509_STORE_CTX_get0_param": (POINTER, [POINTER]),
        "X509_STORE_CTX_get_error": (ctypes.c_int, [POINTER]),
        "X509_VERIFY_PARAM_set_time": (None, [POINTER, ctypes.c_int64]),
        "X509_VERIFY_PARAM_set_flags": (ctypes.c_int, [POINTER, ctypes.c_ulong]),
        "X509_verify_cert": (ctypes.c_int, [POINTER]),
        "X509_verify_cert_error_string": (ctypes.c_char_p, [ctypes.c_long]),
        "OPENSSL_sk_new_null": (POINTER, []),
        "OPENSSL_sk_push": (ctypes.c_int, [POINTER, POINTER]),
        "OPENSSL_sk_free": (None, [POINTER]),
        "ERR_clear_error": (None, []),
    }
    for name, (result, arguments) in calls.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def parse(lib, text, kept):
    der = base64.b64decode(text)
    start = ctypes.c_char_p(der)
    at = ctypes.cast(ctypes.pointer(start), ctypes.POINTER(POINTER))[0]
    certificate = lib.d2i_X509(None, ctypes.byref(start), len(der))
    if not certificate:
        return None
    kept.append(certificate)
    read = ctypes.cast(ctypes.pointer(start), ctypes.POINTER(POINTER))[0] - at
    return certificate if read == len(der) else None


def judge(lib, case):
    kept = []
    store, others, context = lib.X509_STORE_new(), lib.OPENSSL_sk_new_null(), lib.X509_STORE_CTX_new()
    try:
        chain = [parse(lib, each, kept) for each in case["chain"]]
        anchors = [parse(lib, each, kept) for each in case["anchors"]]
        if not chain or None in chain + anchors:
            return "not a certificate"
        for anchor in anchors:
            lib.X509_STORE_add_cert(store, anchor)
        for other in chain[1:]:
            lib.OPENSSL_sk_push(others, other)
        if lib.X509_STORE_CTX_init(context, store, chain[0], others) != 1:
            return "cannot begin"
        param = lib.X509_STORE_CTX_get0_param(context)
        lib.X509_VERIFY_PARAM_set_time(param, case["nowMs"] // 1000)
        lib.X509_VERIFY_PARAM_set_flags(param, PARTIAL_CHAIN)
        if lib.X509_verify_cert(context) == 1:
            return "ok"
        return lib.X509_verify_cert_error_string(lib.X509_STORE_CTX_get_error(context)).decode()
    finally:
        lib.ERR_clear_error()
        lib.X509_STORE_CTX_free(context)
        lib.X509_STORE_free(store)
        lib.OPENSSL_sk_free(others)
        for certificate in kept:
            lib.X509_free(certificate)


def main():
    lib = load()
    json.dump([judge(lib, case) for case in json.load(sys.stdin)], sys.stdout)


main()
