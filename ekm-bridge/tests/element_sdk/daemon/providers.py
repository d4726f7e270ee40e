"""Key pair, key servers and providers, against real key managers."""

from checks import PEM, equal, fails, true


def check(element, here):
    check_pair(element)
    servers = element.list_key_servers_kmip().kmip_key_servers
    equal(len(servers), 1)
    client = servers[0].kmip_client_certificate
    check_servers(element, here, client, servers[0].key_server_id)
    check_providers(element, here, client, servers[0])


def check_pair(element):
    fails("xKeyPairInUse", element.create_public_private_key_pair)
    fails("xInvalidParameter", element.create_public_private_key_pair, country="Taiwan")
    true("BEGIN CERTIFICATE REQUEST" in element.get_client_certificate_sign_request().client_certificate_sign_request,
         "the request can be had again")


def check_servers(element, here, client, used):
    default = element.create_key_server_kmip(here.pem("ca"), client, ["kms.example"], "default port").kmip_key_server
    equal((default.kmip_key_server_port, default.key_provider_id), (5696, None))
    equal(default.kmip_assigned_provider_is_active, None)
    element.delete_key_server_kmip(default.key_server_id)
    fails("xKeyServerDoesNotExist", element.delete_key_server_kmip, default.key_server_id)
    fails("xKeyServerDoesNotExist", element.get_key_server_kmip, default.key_server_id)
    fails("xKeyServerDoesNotExist", element.test_key_server_kmip, default.key_server_id)
    fails("xKeyServerDoesNotExist", element.modify_key_server_kmip, default.key_server_id, kmip_key_server_name="x")

    spare = here.new_server(element, client, here.second, "spare")
    element.test_key_server_kmip(spare)
    changed = element.modify_key_server_kmip(
        spare, kmip_key_server_name="other", kmip_key_server_hostnames=["127.0.0.1"]).kmip_key_server
    equal((changed.kmip_key_server_name, changed.kmip_key_server_hostnames), ("other", ["127.0.0.1"]))
    element.modify_key_server_kmip(spare)
    equal(element.get_key_server_kmip(spare).kmip_key_server.kmip_key_server_name, "other")
    # A port where nobody listens, an authority that did not sign the server's certificate, a server that says no.
    fails("xKmipConnectionFailed", element.modify_key_server_kmip, spare, kmip_key_server_port=1)
    stranger = here.new_server(element, client, here.second, "stranger", authority="other_ca")
    fails("xKmipAuthenticationFailed", element.test_key_server_kmip, stranger)
    element.delete_key_server_kmip(stranger)
    here.fault(fail_op="QUERY", fail_reason="PERMISSION_DENIED")
    fails("xKmipServerError", element.test_key_server_kmip, used)
    here.fault()
    element.test_key_server_kmip(used)
    equal(element.get_key_server_kmip(spare).kmip_key_server.kmip_key_server_port, here.second)

    of_us = [here.pem("ca"), client, ["kms.example"]]
    fails("xInvalidParameter", element.create_key_server_kmip, of_us[0], client, [], "no hosts")
    fails("xKmipCertificateInvalid", element.create_key_server_kmip, PEM, client, ["kms.example"], "no certificate")
    fails("xKmipCertificateInvalid", element.create_key_server_kmip, of_us[0], here.pem("client"), ["h"], "other pair")
    fails("xKmipCertificateInvalid", element.modify_key_server_kmip, spare, kmip_client_certificate=here.pem("client"))
    element.delete_key_server_kmip(spare)


def check_providers(element, here, client, used):
    provider, server = used.key_provider_id, used.key_server_id
    spare = here.new_server(element, client, here.second, "spare")
    equal([entry.key_server_id for entry in
           element.list_key_servers_kmip(kmip_has_provider_assigned=False).kmip_key_servers], [spare])
    equal([entry.key_server_id for entry in
           element.list_key_servers_kmip(key_provider_id=provider).kmip_key_servers], [server])
    equal([entry.key_server_id for entry in
           element.list_key_servers_kmip(kmip_assigned_provider_is_active=True).kmip_key_servers], [server])
    fails("xInvalidParameterType", element.list_key_servers_kmip, key_provider_id="one")

    empty = element.create_key_provider_kmip("empty").kmip_key_provider.key_provider_id
    fails("xInvalidParameter", element.create_key_provider_kmip, "")
    fails("xKeyProviderHasNoServer", element.test_key_provider_kmip, empty)
    fails("xKeyServerInUse", element.add_key_server_to_provider_kmip, empty, server)
    fails("xKeyProviderDoesNotExist", element.add_key_server_to_provider_kmip, 4711, spare)
    fails("xKeyServerDoesNotExist", element.add_key_server_to_provider_kmip, provider, 4711)
    with_servers = element.list_key_providers_kmip(kmip_key_provider_has_server_assigned=True).kmip_key_providers
    equal([(entry.key_provider_id, entry.key_server_ids) for entry in with_servers], [(provider, [server])])
    inactive = element.list_key_providers_kmip(key_provider_is_active=False).kmip_key_providers
    equal([entry.key_provider_id for entry in inactive], [empty])
    fails("xInvalidParameterType", element.list_key_providers_kmip, key_provider_is_active="yes")
    element.delete_key_provider_kmip(empty)
    for call in (element.get_key_provider_kmip, element.delete_key_provider_kmip, element.test_key_provider_kmip):
        fails("xKeyProviderDoesNotExist", call, empty)

    # The last server of an active provider stays; with a second one either may go.
    fails("xKeyProviderIsActive", element.delete_key_provider_kmip, provider)
    fails("xLastKeyServerOfActiveProvider", element.delete_key_server_kmip, server)
    fails("xLastKeyServerOfActiveProvider", element.remove_key_server_from_provider_kmip, server)
    element.add_key_server_to_provider_kmip(provider, spare)
    element.add_key_server_to_provider_kmip(provider, spare)
    element.test_key_provider_kmip(provider)
    equal(element.get_key_provider_kmip(provider).kmip_key_provider.key_server_ids, [server, spare])
    element.remove_key_server_from_provider_kmip(spare)
    element.remove_key_server_from_provider_kmip(spare)
    fails("xKeyServerDoesNotExist", element.remove_key_server_from_provider_kmip, 4711)
    element.add_key_server_to_provider_kmip(provider, spare)
