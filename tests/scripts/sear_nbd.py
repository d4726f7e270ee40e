"""What the scripts share. Each script gets the URI of an export as its only argument."""

import errno
import sys

import nbd

BLOCK = 4096


def uri():
    return sys.argv[1]


def connect(strict=True):
    """A connection with base:allocation; not strict: libnbd sends what it knows to be wrong."""
    handle = nbd.NBD()
    handle.add_meta_context(nbd.CONTEXT_BASE_ALLOCATION)
    if not strict:
        handle.set_strict_mode(0)
    handle.connect_uri(uri())
    return handle


def refused(code, action, *arguments):
    """The action must fail with exactly this error number."""
    try:
        action(*arguments)
    except nbd.Error as error:
        assert error.errnum == code, f"{errno.errorcode.get(error.errnum)} instead of {errno.errorcode[code]}: {error}"
        return
    raise AssertionError(f"{action.__name__}{arguments[1:]} succeeded instead of {errno.errorcode[code]}")


def extents(handle, count, offset, flags=0):
    """The extents of base:allocation as a list of (length, flags)."""
    found = []

    def collect(_context, _offset, entries, _error):
        found.extend(zip(entries[0::2], entries[1::2]))

    handle.block_status(count, offset, collect, flags)
    return found
