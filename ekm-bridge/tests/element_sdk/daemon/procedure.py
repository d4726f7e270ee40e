"""The administrator's procedure: key pair, certificate request, key server, provider, rekey to external keys."""

from solidfire.models import NewDrive

from checks import PEM, equal, fails, true
from cluster import PASSWORD, USER
from world import rekeyed


def before_there_is_a_cluster(element):
    """Nothing but GetAPI, GetClusterState and GetLimits answers."""
    equal(element.get_cluster_state(force=True).state, "Available")
    element.get_limits()
    for call, *arguments in (
            (element.get_cluster_info,), (element.get_fips_report,), (element.create_public_private_key_pair,),
            (element.get_client_certificate_sign_request,), (element.create_key_server_kmip, PEM, PEM, ["h"], "n"),
            (element.modify_key_server_kmip, 1), (element.get_key_server_kmip, 1), (element.list_key_servers_kmip,),
            (element.delete_key_server_kmip, 1), (element.test_key_server_kmip, 1),
            (element.create_key_provider_kmip, "p"), (element.get_key_provider_kmip, 1),
            (element.list_key_providers_kmip,), (element.delete_key_provider_kmip, 1),
            (element.test_key_provider_kmip, 1), (element.add_key_server_to_provider_kmip, 1, 1),
            (element.remove_key_server_from_provider_kmip, 1), (element.get_software_encryption_at_rest_info,),
            (element.rekey_software_encryption_at_rest_master_key,), (element.enable_encryption_at_rest,),
            (element.disable_encryption_at_rest,), (element.get_encryption_at_rest_info,),
            (element.get_async_result, 1), (element.list_async_results,), (element.list_cluster_faults,),
            (element.clear_cluster_faults,), (element.list_events,), (element.list_drives,),
            (element.add_drives, [NewDrive(1)]), (element.remove_drives, [1]), (element.secure_erase_drives, [1]),
            (element.reset_drives, "slot1", True), (element.list_volumes,),
            (element.create_volume, "vol", 1, 1_000_000_000), (element.modify_volume, 1), (element.delete_volume, 1),
            (element.delete_volumes,), (element.purge_deleted_volume, 1), (element.purge_deleted_volumes,),
            (element.get_volume_stats, 1), (element.list_volume_stats,)):
        fails("xClusterDoesNotExist", call, *arguments)


def run(element, here):
    before_there_is_a_cluster(element)
    cluster = {"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": USER, "password": PASSWORD, "nodes": ["127.0.0.1"]}
    element.create_cluster(
        accept_eula=True, enable_software_encryption_at_rest=True, attributes={"site": "here"}, **cluster)
    fails("xClusterAlreadyCreated", element.create_cluster, **cluster)
    element.create_public_private_key_pair(common_name="sear", organization="o", country="TW")
    client = here.sign(element.get_client_certificate_sign_request().client_certificate_sign_request)
    server = here.new_server(element, client, here.first)
    provider = element.create_key_provider_kmip(key_provider_name="keys").kmip_key_provider
    equal((provider.key_provider_is_active, provider.key_server_ids), (False, []))
    provider = provider.key_provider_id
    element.add_key_server_to_provider_kmip(provider, server)
    element.test_key_server_kmip(server)
    element.test_key_provider_kmip(provider)

    made = element.create_volume("vol", 1, 1_000_000_000)
    equal((made.volume.status, made.volume.name), ("active", "vol"))
    export = f"vol.{made.volume_id}"
    true(here.io(export, "write -P 0xa5 1M 64k", "flush"), "the volume can be written at once")

    info = element.get_software_encryption_at_rest_info()
    equal((info.state, info.version, info.rekey_master_key_async_result_id), ("enabled", 1, None))
    equal((info.master_key_info.key_management_type, info.master_key_info.key_provider_id), ("internal", None))
    key, result = rekeyed(element, key_management_type="External", key_provider_id=provider)
    equal((key.key_management_type, key.key_provider_id), ("external", provider))
    equal(result["keyToDecommission"]["keyManagementType"], "internal")
    equal(result["operation"],
          "Rekeying Master Key. Master Key management being transferred from Internal Key Management to External Key "
          f"Management with keyProviderID={provider}")
    true(element.get_key_provider_kmip(provider).kmip_key_provider.key_provider_is_active, "it has a key now")
    true(here.io(export, "read -P 0xa5 1M 64k", "write -P 0x5a 2M 64k", "flush", "read -P 0x5a 2M 64k"),
         "the volume has its bytes and takes more")
    # Whoever was open during the rekey and whoever opens anew see the same.
    element.modify_volume(made.volume_id, access="locked")
    element.modify_volume(made.volume_id, access="readWrite")
    true(here.io(export, "read -P 0xa5 1M 64k", "read -P 0x5a 2M 64k"), "it opens with the new key")
