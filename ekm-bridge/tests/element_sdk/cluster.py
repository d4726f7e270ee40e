"""Connecting, creating the cluster, and what it tells of itself."""

from solidfire.common import ApiConnectionError
from solidfire.factory import ElementFactory

from checks import equal, fails, true

USER, PASSWORD = "admin", "correct horse"


def connect(port, target="127.0.0.1", **kwargs):
    arguments = {"username": USER, "password": PASSWORD, "port": port, "print_ascii_art": False, **kwargs}
    return ElementFactory.create(target, **arguments)


def create(port):
    """From a node without a cluster to one with it."""
    element = connect(port)
    equal(element.get_cluster_state(force=True).state, "Available")
    fails("xClusterDoesNotExist", element.list_drives)
    cluster = {"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": USER, "password": PASSWORD}
    fails("xInvalidParameter", element.create_cluster, nodes=["192.0.2.99"], **cluster)
    element.create_cluster(
        nodes=["127.0.0.1"], accept_eula=True, enable_software_encryption_at_rest=True,
        attributes={"site": "here"}, **cluster)
    fails("xClusterAlreadyCreated", element.create_cluster, nodes=["127.0.0.1"], **cluster)
    return element


def check(element):
    equal(str(element.api_version), "12.3")
    api = element.get_api()
    equal(float(api.current_version), 12.3)
    info = element.get_cluster_info().cluster_info
    equal((info.mvip, info.svip, info.rep_count), ("192.0.2.1", "192.0.2.2", 1))
    equal(info.encryption_at_rest_state, "disabled")
    equal([str(scheme.get_value()) for scheme in info.supported_protection_schemes], ["singleHelix"])
    equal(info.attributes, {"site": "here"})
    equal(element.get_cluster_state(force=True).nodes[0].result.state, "Active")
    limits = element.get_limits()
    equal((limits.volume_count_max, limits.volume_name_length_max), (4000, 64))
    report = element.get_fips_report()
    equal([(node.node_id, node.https_enabled) for node in report.nodes], [(1, False)])
    equal(report.nodes[0].fips_drives.get_value(), "None")
    equal(report.error_nodes, [])


def check_credentials(port):
    for password in ("wrong", ""):
        try:
            connect(port, password=password)
        except ApiConnectionError as error:
            true("Bad Credentials" in str(error), error)
        else:
            raise AssertionError("a wrong password was taken")


def check_versions(port):
    # The SDK refuses some methods that are newer than the version by itself and leaves others to the server.
    fails("xUnknownAPIMethod", connect(port, version="11.0").list_key_servers_kmip)
    connect(port, version="12.2").list_key_servers_kmip()


def check_certificate(port):
    element = connect(port, target="localhost", verify_ssl=True)
    true(element.get_cluster_info().cluster_info.name, "the certificate was verified")
