//! `sear server …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{ask_and_tell, read};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Subcommand, Debug)]
pub(crate) enum ServerVerb {
    /// Add a key server (KMIP over mutual TLS)
    Add(Add),
    /// List key servers
    List,
    /// Connect to a key server and ask what it can do
    Test(One),
    /// Forget a key server that no provider uses
    Delete(One),
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// A name for people
    name: String,
    /// Its host, repeatable for the members of one clustered key manager
    #[arg(long, required = true, value_name = "HOST")]
    host: Vec<String>,
    /// Its port
    #[arg(long, default_value_t = 5696)]
    port: u16,
    /// The authority that signed its certificate (PEM)
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Our certificate for it (PEM), of the key pair that the daemon made
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct One {
    /// Its number
    id: u64,
}

impl ServerVerb {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let of = |method, One { id }| ask_and_tell(state, ui, method, &json!({"keyServerID": id}), "");
        match self {
            Self::Add(add) => add.run(state, ui),
            Self::List => ask_and_tell(state, ui, "ListKeyServersKmip", &json!({}), "kmipKeyServers"),
            Self::Test(one) => of("TestKeyServerKmip", one),
            Self::Delete(one) => of("DeleteKeyServerKmip", one),
        }
    }
}

impl Add {
    fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let params = json!({
            "kmipKeyServerName": self.name,
            "kmipKeyServerHostnames": self.host,
            "kmipKeyServerPort": self.port,
            "kmipCaCertificate": read(&self.ca)?,
            "kmipClientCertificate": read(&self.cert)?,
        });
        ask_and_tell(state, ui, "CreateKeyServerKmip", &params, "kmipKeyServer")
    }
}
