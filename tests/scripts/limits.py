"""Requests that make no sense get the error of the protocol, and the connection goes on."""

import errno

import nbd
from sear_nbd import BLOCK, connect, refused

handle = connect(strict=False)
size = handle.get_size()
handle.pwrite(b"k" * BLOCK, 0)

# outside the export
for offset in [size, size - BLOCK // 2, 1 << 62, (1 << 63) - BLOCK]:
    refused(errno.EINVAL, handle.pread, BLOCK, offset)
    refused(errno.ENOSPC, handle.pwrite, bytes(BLOCK), offset)
    refused(errno.ENOSPC, handle.zero, BLOCK, offset)

# longer than the largest payload
refused(errno.EINVAL if not handle.get_structured_replies_negotiated() else errno.EOVERFLOW, handle.pread, 33 << 20, 0)

# flags that belong to other commands
refused(errno.EINVAL, handle.pwrite, bytes(BLOCK), 0, nbd.CMD_FLAG_DF)
refused(errno.EINVAL, handle.flush, nbd.CMD_FLAG_NO_HOLE)
refused(errno.EINVAL, handle.pread, BLOCK, 0, nbd.CMD_FLAG_REQ_ONE)

# block status of nothing
refused(errno.EINVAL, handle.block_status, 0, 0, lambda *_: None)

# nothing of it has changed anything, and the connection still works
assert handle.pread(BLOCK, 0) == b"k" * BLOCK
handle.shutdown()
