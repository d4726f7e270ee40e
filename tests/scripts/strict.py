"""Under --strict-alignment the sector size is the minimum block size, and less is refused."""

import errno

import nbd
from sear_nbd import BLOCK, connect, refused

handle = connect(strict=False)
assert handle.get_block_size(nbd.SIZE_MINIMUM) == BLOCK
handle.pwrite(b"k" * BLOCK, 0)
for count, offset in [(1, 0), (512, 0), (BLOCK, 1), (BLOCK, 512), (BLOCK + 1, 0)]:
    refused(errno.EINVAL, handle.pread, count, offset)
    refused(errno.EINVAL, handle.pwrite, bytes(count), offset)
    refused(errno.EINVAL, handle.zero, count, offset)
assert handle.pread(BLOCK, 0) == b"k" * BLOCK
handle.shutdown()
