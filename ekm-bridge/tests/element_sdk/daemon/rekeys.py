"""Encryption at rest in software and in drives, and asynchronous results."""

from checks import equal, fails, true
from world import rekeyed, wait


def check(element, here):
    provider = element.list_key_providers_kmip(key_provider_is_active=True).kmip_key_providers[0].key_provider_id
    rekey = element.rekey_software_encryption_at_rest_master_key
    fails("xInvalidParameter", rekey, key_management_type="External")
    fails("xInvalidParameter", rekey, key_management_type="Internal", key_provider_id=provider)
    fails("xUnrecognizedEnumString", rekey, key_management_type="Elsewhere")
    fails("xKeyProviderDoesNotExist", rekey, key_management_type="External", key_provider_id=4711)
    check_one_at_a_time(element, here)
    check_failure(element, here, provider)
    check_stock(element, here)
    key, result = rekeyed(element, key_management_type="internal")
    equal((key.key_management_type, key.key_provider_id), ("internal", None))
    rekeyed(element, key_management_type="External", key_provider_id=provider)
    check_results(element)
    check_drives(element)


def check_one_at_a_time(element, here):
    here.fault(delay_ms=1500, delay_op="CREATE")
    handle = element.rekey_software_encryption_at_rest_master_key().async_handle
    equal(element.rekey_software_encryption_at_rest_master_key().async_handle, handle)
    fails("xRekeyInProgress", element.rekey_software_encryption_at_rest_master_key, key_management_type="Internal")
    result = element.get_async_result(handle)
    equal((result["status"], result["details"]["state"]), ("running", "CreateNewMasterKey"))
    equal(element.get_software_encryption_at_rest_info().rekey_master_key_async_result_id, handle)
    listed = element.list_async_results(async_result_types=["RekeySoftwareEncryptionAtRestMasterKey"]).async_handles
    equal([(entry.async_result_id, entry.completed) for entry in listed], [(handle, False)])
    here.fault()
    true("error" not in wait(element, handle)[0], "the rekey succeeds in the end")
    fails("xDBNoSuchPath", element.get_async_result, handle)


def check_failure(element, here, provider):
    """A key that no server makes: the old one stays in force."""
    before = element.get_software_encryption_at_rest_info().master_key_info.key_id
    servers = element.get_key_provider_kmip(provider).kmip_key_provider.key_server_ids
    element.remove_key_server_from_provider_kmip(servers[1])
    here.fault(fail_op="CREATE", fail_reason="PERMISSION_DENIED")
    result, _ = wait(element, element.rekey_software_encryption_at_rest_master_key().async_handle)
    here.fault()
    equal(result["error"]["name"], "xKmipServerError")
    equal(element.get_software_encryption_at_rest_info().master_key_info.key_id, before)
    element.add_key_server_to_provider_kmip(provider, servers[1])


def check_stock(element, here):
    """A key manager without custom attributes."""
    client = element.list_key_servers_kmip().kmip_key_servers[0].kmip_client_certificate
    server = here.new_server(element, client, here.stock, "stock")
    provider = element.create_key_provider_kmip("stock").kmip_key_provider.key_provider_id
    fails("xKeyProviderHasNoServer", element.rekey_software_encryption_at_rest_master_key,
          key_management_type="External", key_provider_id=provider)
    element.add_key_server_to_provider_kmip(provider, server)
    key, _ = rekeyed(element, key_management_type="External", key_provider_id=provider)
    equal(key.key_provider_id, provider)
    true(here.io("vol.1", "read -P 0xa5 1M 64k"), "the volume goes on")


def check_results(element):
    entries = element.list_async_results().async_handles
    true(all(entry.completed for entry in entries), entries)
    equal(element.list_async_results(async_result_types=["Clone"]).async_handles, [])
    fails("xUnrecognizedEnumString", element.list_async_results, async_result_types=["Unheard"])
    fails("xDBNoSuchPath", element.get_async_result, 4711)


def check_drives(element):
    equal(element.get_encryption_at_rest_info().state, "disabled")
    fails("xAPINotPermitted", element.enable_encryption_at_rest)
    fails("xKeyProviderDoesNotExist", element.enable_encryption_at_rest, key_provider_id=4711)
    fails("xAPINotPermitted", element.disable_encryption_at_rest)
