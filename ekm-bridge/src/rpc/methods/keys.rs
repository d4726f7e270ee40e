//! Key pair, key servers, key providers.

use super::call::{Call, check_length, check_list, invalid};
use super::row::{Method, method};
use crate::rpc::control::Outcome;
use crate::rpc::types::key_providers::{
    AddKeyServer, CreateKeyProvider, KeyProviderParam, KeyProviders, ListKeyProviders, OneKeyProvider,
};
use crate::rpc::types::key_servers::{
    CreateKeyServer, KeyServerParam, KeyServers, ListKeyServers, ModifyKeyServer, OneKeyServer,
};
use crate::rpc::types::trust::{CreateKeyPair, SignRequest};
use crate::rpc::types::{NoParams, Nothing};

/// Members of one clustered key manager, at most.
const MAX_HOSTS: usize = 16;
const MAX_NAME_CHARS: usize = 64;
/// Characters of a host name (RFC 1035 §2.3.4).
const MAX_HOST_CHARS: usize = 255;
/// Characters of a part of a subject's name: the least of the upper bounds in RFC 5280 appendix A.
const MAX_SUBJECT_CHARS: usize = 64;

pub(super) const METHODS: &[Method] = &[
    method!("CreatePublicPrivateKeyPair", (11, 7), Cluster, Administrator, Created, |call, params: CreateKeyPair| {
        create_pair(call, &params)
    }),
    method!("GetClientCertificateSignRequest", (11, 7), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.sign_request().map(|pem| SignRequest { pem })
    }),
    method!("CreateKeyServerKmip", (11, 7), Cluster, Administrator, Created, |call, params: CreateKeyServer| {
        create_server(call, params)
    }),
    method!("ModifyKeyServerKmip", (11, 7), Cluster, Administrator, Created, |call, params: ModifyKeyServer| {
        modify_server(call, params)
    }),
    method!("GetKeyServerKmip", (11, 7), Cluster, ReadOnly, Created, |call, params: KeyServerParam| {
        call.control.key_server(params.id).map(|server| OneKeyServer { server })
    }),
    method!("ListKeyServersKmip", (11, 7), Cluster, ReadOnly, Created, |call, params: ListKeyServers| {
        call.control.key_servers(params).map(|servers| KeyServers { servers })
    }),
    method!("DeleteKeyServerKmip", (11, 7), Cluster, Administrator, Created, |call, params: KeyServerParam| {
        call.control.delete_key_server(params.id).map(nothing)
    }),
    method!("TestKeyServerKmip", (11, 7), Cluster, Administrator, Created, |call, params: KeyServerParam| {
        call.control.test_key_server(params.id).map(nothing)
    }),
    method!("CreateKeyProviderKmip", (11, 7), Cluster, Administrator, Created, |call, params: CreateKeyProvider| {
        create_provider(call, params)
    }),
    method!("GetKeyProviderKmip", (11, 7), Cluster, ReadOnly, Created, |call, params: KeyProviderParam| {
        call.control.key_provider(params.id).map(|provider| OneKeyProvider { provider })
    }),
    method!("ListKeyProvidersKmip", (11, 7), Cluster, ReadOnly, Created, |call, params: ListKeyProviders| {
        call.control.key_providers(params).map(|providers| KeyProviders { providers })
    }),
    method!("DeleteKeyProviderKmip", (11, 7), Cluster, Administrator, Created, |call, params: KeyProviderParam| {
        call.control.delete_key_provider(params.id).map(nothing)
    }),
    method!("TestKeyProviderKmip", (11, 7), Cluster, Administrator, Created, |call, params: KeyProviderParam| {
        call.control.test_key_provider(params.id).map(nothing)
    }),
    method!("AddKeyServerToProviderKmip", (11, 7), Cluster, Administrator, Created, |call, params: AddKeyServer| {
        call.control.add_key_server(params).map(nothing)
    }),
    method!(
        "RemoveKeyServerFromProviderKmip",
        (11, 7),
        Cluster,
        Administrator,
        Created,
        |call, params: KeyServerParam| { call.control.remove_key_server(params.id).map(nothing) }
    ),
];

pub(super) fn nothing((): ()) -> Nothing {
    Nothing {}
}

fn create_pair(call: &Call<'_>, subject: &CreateKeyPair) -> Outcome<Nothing> {
    let parts = [
        ("commonName", &subject.common_name),
        ("organization", &subject.organization),
        ("organizationalUnit", &subject.organizational_unit),
        ("locality", &subject.locality),
        ("state", &subject.state),
        ("emailAddress", &subject.email_address),
    ];
    for (name, part) in parts {
        part.as_deref()
            .filter(|part| !part.is_empty())
            .map_or(Ok(()), |part| check_length(name, part, MAX_SUBJECT_CHARS))?;
    }
    let is_country =
        |text: &str| text.is_empty() || (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if !subject.country.as_deref().is_none_or(is_country) {
        return Err(invalid("parameter `country` is not a code of two letters"));
    }
    call.control.create_key_pair(subject).map(nothing)
}

fn create_server(call: &Call<'_>, params: CreateKeyServer) -> Outcome<OneKeyServer> {
    check_length("kmipKeyServerName", &params.kmip_key_server_name, MAX_NAME_CHARS)?;
    check_hosts(&params.kmip_key_server_hostnames)?;
    check_port(params.kmip_key_server_port)?;
    call.control.create_key_server(params).map(|server| OneKeyServer { server })
}

fn modify_server(call: &Call<'_>, params: ModifyKeyServer) -> Outcome<OneKeyServer> {
    if let Some(name) = &params.kmip_key_server_name {
        check_length("kmipKeyServerName", name, MAX_NAME_CHARS)?;
    }
    if let Some(hosts) = &params.kmip_key_server_hostnames {
        check_hosts(hosts)?;
    }
    check_port(params.kmip_key_server_port)?;
    call.control.modify_key_server(params).map(|server| OneKeyServer { server })
}

fn create_provider(call: &Call<'_>, params: CreateKeyProvider) -> Outcome<OneKeyProvider> {
    check_length("keyProviderName", &params.key_provider_name, MAX_NAME_CHARS)?;
    call.control.create_key_provider(params.key_provider_name).map(|provider| OneKeyProvider { provider })
}

fn check_hosts(hosts: &[String]) -> Outcome<()> {
    check_list("kmipKeyServerHostnames", hosts, MAX_HOSTS)?;
    hosts.iter().try_for_each(|host| check_length("kmipKeyServerHostnames", host, MAX_HOST_CHARS))
}

fn check_port(port: Option<u16>) -> Outcome<()> {
    if port == Some(0) { Err(invalid("parameter `kmipKeyServerPort` is 0")) } else { Ok(()) }
}
