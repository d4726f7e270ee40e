"""The metadata drives, whole, lost and back."""

from solidfire.models import NewDrive

from checks import equal, fails, true

GONE = "sliceServiceUnhealthy"


def status(element):
    return [(drive.drive_id, drive.status, drive.type) for drive in element.list_drives().drives]


def both(second):
    return [(1, "active", "volume"), (2, second, "volume")]


def done(element, handle):
    result = element.get_async_result(handle)
    equal(result["status"], "complete")
    return result


def check(element, _):
    equal(status(element), both("active"))
    fails("xDriveNotAvailable", element.add_drives, [NewDrive(2, type="slice")])
    fails("xDriveIDDoesNotExist", element.add_drives, [NewDrive(9)])
    fails("xAPINotPermitted", element.add_drives, [NewDrive(2, type="block")])
    fails("xUnrecognizedEnumString", element.add_drives, [NewDrive(2, type="tape")])
    fails("xInvalidParameter", element.remove_drives, [])
    fails("xDriveIDDoesNotExist", element.remove_drives, [9])
    fails("xDriveNotAvailable", element.secure_erase_drives, [2])
    removal = element.remove_drives([2]).async_handle
    entry = [entry for entry in element.list_async_results().async_handles if entry.async_result_id == removal][0]
    equal((entry.completed, entry.success, entry.result_type), (True, True, "DriveRemoval"))
    true("result" in done(element, removal), "the removal succeeded")
    equal(status(element), both("available"))
    fails("xDriveNotAvailable", element.remove_drives, [2])
    # The last one stays.
    true("error" in done(element, element.remove_drives([1]).async_handle), "the only drive cannot be removed")
    true("result" in done(element, element.secure_erase_drives([2]).async_handle), "the copy was erased")
    true("result" in done(element, element.add_drives([NewDrive(2, type="slice")]).async_handle), "it is added")
    equal(status(element), both("active"))
    fails("xAPINotPermitted", element.reset_drives, "slot1", force=True)
    fails("xInvalidParameter", element.reset_drives, "slot1", force=False)


def current(element):
    return [(fault.code, fault.drive_id) for fault in element.list_cluster_faults(fault_types="current").faults]


def check_lost(element, here):
    equal(status(element), both("failed"))
    equal(current(element), [(GONE, 2)])
    true("error" in done(element, element.add_drives([NewDrive(2, type="slice")]).async_handle), "it is still away")
    # Everything goes on with the other one, and what changes meanwhile is not lost.
    element.create_volume("meanwhile", 1, 1_000_000_000)
    true(here.io("vol.1", "read -P 0xa5 1M 64k", "write -P 0x77 3M 64k", "flush"), "the volume is served")


def check_back(element, here):
    equal(current(element), [(GONE, 2)])
    result = done(element, element.add_drives([NewDrive(2, type="slice")]).async_handle)
    true("result" in result, result)
    equal((status(element), current(element)), (both("active"), []))
    over = [fault for fault in element.list_cluster_faults(fault_types="resolved").faults if fault.code == GONE]
    true(over and over[0].resolved and over[0].resolved_date, over)
    true(here.io("vol.1", "read -P 0x77 3M 64k"), "the volume is served")
