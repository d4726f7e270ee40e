//! `sear provider …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::ask_and_tell;
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Subcommand, Debug)]
pub(crate) enum ProviderVerb {
    /// Make a key provider, at first without servers
    Create(Name),
    /// List key providers
    List,
    /// Ask every server of a provider what it can do
    Test(One),
    /// Let a provider use a key server
    Add(Pair),
    /// Let no provider use a key server
    Remove(Server),
    /// Forget a provider that nothing depends on
    Delete(One),
}

#[derive(Args, Debug)]
pub(crate) struct Name {
    /// A name for people
    name: String,
}

#[derive(Args, Debug)]
pub(crate) struct One {
    /// Its number
    id: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Pair {
    /// The provider's number
    id: u64,
    /// The key server's number
    server: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Server {
    /// The key server's number
    server: u64,
}

impl ProviderVerb {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let call = |method, params, member| ask_and_tell(state, ui, method, &params, member);
        match self {
            Self::Create(Name { name }) => {
                call("CreateKeyProviderKmip", json!({"keyProviderName": name}), "kmipKeyProvider")
            }
            Self::List => call("ListKeyProvidersKmip", json!({}), "kmipKeyProviders"),
            Self::Test(One { id }) => call("TestKeyProviderKmip", json!({"keyProviderID": id}), ""),
            Self::Add(Pair { id, server }) => {
                call("AddKeyServerToProviderKmip", json!({"keyProviderID": id, "keyServerID": server}), "")
            }
            Self::Remove(Server { server }) => {
                call("RemoveKeyServerFromProviderKmip", json!({"keyServerID": server}), "")
            }
            Self::Delete(One { id }) => call("DeleteKeyProviderKmip", json!({"keyProviderID": id}), ""),
        }
    }
}
