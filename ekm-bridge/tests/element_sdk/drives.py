"""Drives."""

from solidfire.models import NewDrive

from checks import equal, fails


def status(element):
    return [(drive.drive_id, drive.status, drive.type) for drive in element.list_drives().drives]


def check(element):
    equal(status(element), [(number, "available", "unknown") for number in (1, 2, 3, 4)])
    handle = element.add_drives([NewDrive(1, type="slice"), NewDrive(2, type="block")]).async_handle
    equal(element.get_async_result(handle, keep_result=True)["status"], "complete")
    entry = [entry for entry in element.list_async_results().async_handles if entry.async_result_id == handle][0]
    equal((entry.completed, entry.success, entry.result_type), (True, True, "DriveAdd"))
    equal(status(element)[:2], [(1, "active", "volume"), (2, "active", "block")])
    fails("xDriveNotAvailable", element.add_drives, [NewDrive(1, type="block")])
    fails("xUnrecognizedEnumString", element.add_drives, [NewDrive(3, type="tape")])
    fails("xDriveNotAvailable", element.secure_erase_drives, [2])
    element.remove_drives([1])
    fails("xDriveNotAvailable", element.remove_drives, [1])
    fails("xDriveIDDoesNotExist", element.remove_drives, [99])
    fails("xInvalidParameter", element.remove_drives, [])
    handle = element.secure_erase_drives([1]).async_handle
    equal([element.get_async_result(handle)["status"] for _ in range(2)], ["running", "complete"])
    # A node's method; the SDK allows it on a port of our own.
    reset = element.reset_drives("slot3,slot9", force=True)
    equal([(drive.drive, drive.return_code) for drive in reset.details.drives], [("slot3", 0), ("slot9", 1)])
    fails("xInvalidParameter", element.reset_drives, "slot3", force=False)
