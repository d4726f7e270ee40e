"""Discards not allowed, the default: trim is neither offered nor accepted, and changes nothing."""

import errno

from sear_nbd import BLOCK, connect, refused

handle = connect(strict=False)
assert not handle.can_trim()
handle.pwrite(b"t" * BLOCK, 0)
refused(errno.EINVAL, handle.trim, BLOCK, 0)
assert handle.pread(BLOCK, 0) == b"t" * BLOCK
handle.shutdown()
