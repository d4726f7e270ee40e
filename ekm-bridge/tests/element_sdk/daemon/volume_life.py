"""Volumes that are really there."""

from solidfire.models import QoS

from checks import equal, fails, true

GB = 1_000_000_000


def check(element, here):
    number = create(element, here)
    check_change(element, here, number)
    check_access(element, here, number)
    check_end(element, here, number)


def create(element, here):
    made = element.create_volume("a b", 1, GB + 1, enable512e=True, qos=QoS(min_iops=100), attributes={"a": "b"})
    volume = made.volume
    equal((volume.volume_id, volume.status, volume.slice_count), (made.volume_id, "active", 1))
    equal((volume.access.get_value(), volume.enable512e), ("readWrite", True))
    equal((volume.qos.min_iops, volume.attributes), (100, {"a": "b"}))
    true(volume.total_size >= GB + 1_000_000, volume.total_size)
    equal(here.size(f"a-b.{made.volume_id}"), volume.total_size)
    true(f"{volume.volume_uuid}.sear" in here.files(), "the volume is a file")
    fails("xExceededLimit", element.create_volume, "small", 1, 1)
    fails("xInvalidParameter", element.create_volume, "", 1, GB)
    fails("xAccountIDDoesNotExist", element.create_volume, "vol", 0, GB)
    fails("xInvalidParameter", element.create_volume, "vol", 1, GB, qos=QoS(), qos_policy_id=1)
    fails("xQoSPolicyDoesNotExist", element.create_volume, "vol", 1, GB, qos_policy_id=1)
    fails("xUnrecognizedEnumString", element.create_volume, "vol", 1, GB, protection_scheme="none")
    fails("xAPINotPermitted", element.create_volume, "vol", 1, GB, protection_scheme="doubleHelix")
    return made.volume_id


def check_change(element, here, number):
    export = f"a-b.{number}"
    true(here.io(export, "write -P 0x11 0 4k", "flush", "read -P 0x11 0 4k"), "it is written and read")
    stats = element.get_volume_stats(number).volume_stats
    true(stats.write_ops >= 1 and stats.write_bytes >= 4096 and stats.read_bytes >= 4096, stats)
    equal((stats.metadata_hosts.primary, stats.latency_usec), (1, None))
    equal([entry.volume_id for entry in element.list_volume_stats([number]).volume_stats], [number])
    true(len(element.list_volume_stats().volume_stats) == 2, "both volumes have statistics")
    fails("xVolumeIDDoesNotExist", element.list_volume_stats, volume_ids=[4711])
    fails("xVolumeIDDoesNotExist", element.get_volume_stats, 4711)
    grown = element.modify_volume(number, total_size=2 * GB, attributes={}).volume
    equal((grown.attributes, here.size(export)), ({}, grown.total_size))
    true(here.io(export, "read -P 0x11 0 4k", f"write -P 0x22 {grown.total_size - 4096} 4k", "flush"), "it has grown")
    fails("xInvalidParameter", element.modify_volume, number, total_size=GB)
    fails("xAPINotPermitted", element.modify_volume, number, access="replicationTarget")
    fails("xVolumeIDDoesNotExist", element.modify_volume, 4711)
    equal([volume.volume_id for volume in element.list_volumes(volume_name="a b").volumes], [number])
    equal([volume.volume_id for volume in element.list_volumes(start_volume_id=2, limit=1).volumes], [number])
    equal(element.list_volumes(volume_status="deleted").volumes, [])
    fails("xInvalidParameter", element.list_volumes, volume_ids=[number], limit=1)


def check_access(element, here, number):
    export = f"a-b.{number}"
    equal(element.modify_volume(number, access="readOnly").volume.access.get_value(), "readOnly")
    true(here.io(export, "read -P 0x11 0 4k") is False, "qemu-io wants to write")
    equal(here.size(export), element.list_volumes(volume_ids=[number]).volumes[0].total_size)
    element.modify_volume(number, access="locked")
    true(not here.io(export, "read 0 4k"), "a locked volume is not served")
    element.modify_volume(number, access="readWrite")
    true(here.io(export, "read -P 0x11 0 4k"), "it is served again")


def check_end(element, here, number):
    file = f"{element.list_volumes(volume_ids=[number]).volumes[0].volume_uuid}.sear"
    fails("xVolumeNotDeleted", element.purge_deleted_volume, number)
    equal(element.delete_volume(number).volume.status, "deleted")
    true(not here.io(f"a-b.{number}", "read 0 4k"), "a deleted volume is not served")
    true(file in here.files(), "and kept")
    fails("xVolumeIDDoesNotExist", element.delete_volume, 4711)
    fails("xVolumeIDDoesNotExist", element.purge_deleted_volume, 4711)
    element.purge_deleted_volume(number)
    true(file not in here.files(), "a purged one is gone")
    numbers = [element.create_volume("many", 7, GB).volume_id for _ in range(3)]
    fails("xInvalidParameter", element.delete_volumes, volume_ids=numbers, account_ids=[7])
    fails("xExceededLimit", element.delete_volumes, volume_ids=list(range(501)))
    equal([volume.volume_id for volume in element.delete_volumes(account_ids=[7]).volumes], numbers)
    fails("xInvalidParameter", element.purge_deleted_volumes)
    element.purge_deleted_volumes(volume_ids=numbers)
    equal([volume.volume_id for volume in element.list_volumes().volumes], [1])
    equal(len(here.files()), 1)
