//! The API server in this process, over real TLS, in front of a cluster in memory: what clients may send, what they
//! get, and that the unmodified public SDK works with it.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod abuse;
mod authentication;
mod calls;
#[path = "../../../tests/src/rig/https.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "other tests use the rest of it")]
mod client;
mod model;
mod network;
#[path = "../../../tests/src/rig/pypi/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "other tests use the rest of it")]
mod pypi;
mod sdk;
mod speed;
mod transport;

use std::sync::{Arc, Mutex};

use ekm_bridge::rpc::observer::{CallRecord, Observer, RefusalRecord};
use ekm_bridge::rpc::server::{Identity, Limits};
use ekm_bridge::rpc::{Hooks, Server, ServerConfig};

use client::Client;
use model::Model;

/// A server, and what it told its observer.
struct Rig {
    server: Server,
    certificate: Vec<u8>,
    model: Arc<Model>,
    seen: Arc<Seen>,
}

/// Every call and refusal as a line.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn called(&self, record: &CallRecord<'_>) {
        let user = record.user.unwrap_or("-");
        let outcome = record.outcome.map_or_else(|name| name.as_str(), |()| "ok");
        let params = serde_json::to_string(&record.params).unwrap();
        self.0.lock().unwrap().push(format!("{user} {} {params} {outcome}", record.method));
    }

    fn refused(&self, record: &RefusalRecord<'_>) {
        self.0.lock().unwrap().push(format!("refused {}", record.user.unwrap_or("-")));
    }
}

impl Rig {
    /// In front of a cluster with an administrator and a reader.
    fn with_cluster() -> Self {
        Self::start(Model::with_cluster(), |_| {})
    }

    fn start(model: Model, configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let identity = Identity::self_signed(&["localhost".into()]).unwrap();
        let certificate = identity.certificate().to_vec();
        let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), identity);
        configure(&mut config);
        let (model, seen) = (Arc::new(model), Arc::new(Seen::default()));
        let hooks = Hooks { observer: seen.clone(), metrics: Arc::new(|| "sear_up 1\n".into()) };
        let server = Server::start(config, model.clone(), hooks).unwrap();
        Self { server, certificate, model, seen }
    }

    fn limited(limits: Limits) -> Self {
        Self::start(Model::with_cluster(), |config| config.limits = limits)
    }

    /// A client of the administrator; it connects with its first request.
    fn admin(&self) -> Client {
        self.client(Some(model::ADMIN))
    }

    fn client(&self, credentials: Option<(&str, &str)>) -> Client {
        Client::new(self.server.address(), &self.certificate, credentials)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.0.lock().unwrap().clone()
    }
}
