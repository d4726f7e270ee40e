"""Volumes and what they did."""

from solidfire.models import QoS

from checks import equal, fails, true


def check(element):
    first = create(element)
    check_change(element, first)
    check_end(element, first)


def create(element):
    made = element.create_volume("vol", 1, 1_000_000_001, enable512e=True, qos=QoS(min_iops=100), attributes={"a": "b"})
    volume = made.volume
    equal((volume.volume_id, volume.total_size, volume.slice_count), (made.volume_id, 1_001_000_000, 1))
    equal((volume.status, volume.access.get_value(), volume.enable512e), ("active", "readWrite", True))
    equal((volume.qos.min_iops, volume.attributes), (100, {"a": "b"}))
    true(volume.volume_uuid is not None, "a volume has a UUID")
    fails("xExceededLimit", element.create_volume, "small", 1, 1)
    fails("xInvalidParameter", element.create_volume, "", 1, 1_000_000_000)
    fails("xAccountIDDoesNotExist", element.create_volume, "vol", 99, 1_000_000_000)
    fails("xInvalidParameter", element.create_volume, "vol", 1, 1_000_000_000, qos=QoS(), qos_policy_id=1)
    fails("xUnrecognizedEnumString", element.create_volume, "vol", 1, 1_000_000_000, protection_scheme="none")
    return made.volume_id


def check_change(element, number):
    changed = element.modify_volume(number, access="readOnly", total_size=2_000_000_000).volume
    equal((changed.access.get_value(), changed.total_size), ("readOnly", 2_000_000_000))
    fails("xInvalidParameter", element.modify_volume, number, total_size=1_000_000_000)
    fails("xVolumeIDDoesNotExist", element.modify_volume, 4711)
    equal([volume.volume_id for volume in element.list_volumes(volume_name="vol").volumes], [number])
    equal(element.list_volumes(volume_status="deleted").volumes, [])
    fails("xInvalidParameter", element.list_volumes, volume_ids=[number], limit=1)
    stats = element.get_volume_stats(number).volume_stats
    equal((stats.volume_size, stats.read_ops, stats.write_ops), (2_000_000_000, 3, 5))
    equal((stats.metadata_hosts.primary, stats.latency_usec), (1, None))
    equal([entry.volume_id for entry in element.list_volume_stats().volume_stats], [number])
    fails("xVolumeIDDoesNotExist", element.list_volume_stats, volume_ids=[4711])
    fails("xVolumeIDDoesNotExist", element.get_volume_stats, 4711)


def check_end(element, number):
    fails("xVolumeNotDeleted", element.purge_deleted_volume, number)
    equal(element.delete_volume(number).volume.status, "deleted")
    fails("xVolumeIDDoesNotExist", element.delete_volume, 4711)
    element.purge_deleted_volume(number)
    numbers = [element.create_volume("many", 1, 1_000_000_000).volume_id for _ in range(3)]
    fails("xInvalidParameter", element.delete_volumes, volume_ids=numbers, account_ids=[1])
    fails("xExceededLimit", element.delete_volumes, volume_ids=list(range(501)))
    equal([volume.volume_id for volume in element.delete_volumes(volume_ids=numbers).volumes], numbers)
    fails("xInvalidParameter", element.purge_deleted_volumes)
    element.purge_deleted_volumes(volume_ids=numbers)
    equal(element.list_volumes().volumes, [])
