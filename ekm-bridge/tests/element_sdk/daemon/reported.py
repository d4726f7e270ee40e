"""Faults and events."""

from checks import equal, fails, true


def check(element, _):
    check_faults(element)
    check_events(element)


def check_faults(element):
    equal(element.list_cluster_faults(fault_types="current").faults, [])
    fails("xUnrecognizedEnumString", element.list_cluster_faults, fault_types="some")
    fails("xUnrecognizedEnumString", element.clear_cluster_faults, fault_types="some")
    element.list_cluster_faults(best_practices=True)
    element.clear_cluster_faults()
    equal(element.list_cluster_faults().faults, [])


def check_events(element):
    result = element.list_events()
    equal(result.event_queue_type, "public")
    numbers = [event.event_id for event in result.events]
    equal(numbers, sorted(numbers))
    true(len(numbers) > 20, "there are events")
    equal([event.event_id for event in element.list_events(max_events=1).events], numbers[-1:])
    rekeys = element.list_events(event_type="encryptionAtRestEvent").events
    true(rekeys and all(event.event_info_type == "encryptionAtRestEvent" for event in rekeys), rekeys)
    equal(element.list_events(end_report_time="2000-01-01T00:00:00Z").events, [])
    fails("xInvalidParameterType", element.list_events, start_report_time="yesterday")
    fails("xInvalidParameter", element.list_events, max_events=0)
