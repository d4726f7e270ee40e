"""Faults and events; the server was started with three faults."""

from checks import equal, fails, true


def check(element):
    check_faults(element)
    check_events(element)


def check_faults(element):
    codes = [fault.code for fault in element.list_cluster_faults().faults]
    equal(codes, ["kmipCertificateFault", "kmipServerFault"])
    equal(len(element.list_cluster_faults(best_practices=True).faults), 3)
    current = element.list_cluster_faults(fault_types="current").faults
    equal([(fault.code, fault.severity, fault.resolved) for fault in current], [("kmipServerFault", "error", False)])
    fails("xUnrecognizedEnumString", element.list_cluster_faults, fault_types="some")
    element.clear_cluster_faults()
    equal([fault.code for fault in element.list_cluster_faults().faults], ["kmipServerFault"])
    element.clear_cluster_faults(fault_types="all")
    equal(element.list_cluster_faults().faults, [])


def check_events(element):
    result = element.list_events()
    equal(result.event_queue_type, "public")
    true(len(result.events) > 1, "there are events")
    numbers = [event.event_id for event in result.events]
    equal(numbers, sorted(numbers))
    equal([event.event_id for event in element.list_events(max_events=1).events], numbers[-1:])
    rekeys = element.list_events(event_type="encryptionAtRestEvent").events
    equal([event.event_info_type for event in rekeys], ["encryptionAtRestEvent"])
    equal(element.list_events(end_report_time="2000-01-01T00:00:00Z").events, [])
    fails("xInvalidParameterType", element.list_events, start_report_time="yesterday")
    fails("xInvalidParameter", element.list_events, max_events=0)
