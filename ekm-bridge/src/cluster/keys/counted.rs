//! A key server whose requests are counted and timed.

use std::sync::Arc;
use std::time::Instant;

use keywrap::keys::{KeyId, MasterKey};

use crate::cluster::control::ClusterControl;
use crate::metrics::Sear;
use crate::provider::ErrorKind;
use crate::provider::external::{KeyServer, KeyState, ServerError, ServerKey};
use crate::records;
use crate::rpc::control::Outcome;

/// See the module.
struct Counted {
    server: Box<dyn KeyServer>,
    label: String,
    metrics: Arc<Sear>,
}

impl ClusterControl {
    /// The server of this record, counted where somebody looks at numbers.
    pub(super) fn reach(&self, record: &records::KeyServer) -> Outcome<Box<dyn KeyServer>> {
        let server = self.contact.server(record, self.cluster_uuid()?);
        Ok(match &self.metrics {
            Some(metrics) => Box::new(Counted { server, label: record.id.to_string(), metrics: Arc::clone(metrics) }),
            None => server,
        })
    }
}

impl Counted {
    fn count<T>(&self, request: impl FnOnce(&dyn KeyServer) -> Result<T, ServerError>) -> Result<T, ServerError> {
        let begun = Instant::now();
        let answer = request(self.server.as_ref());
        let outcome = match &answer {
            Ok(_) => "success",
            Err(error) => match error.kind {
                ErrorKind::Absent => "absent",
                ErrorKind::Refused => "refused",
                ErrorKind::Unreachable => "unreachable",
                ErrorKind::NotAuthenticated => "notAuthenticated",
            },
        };
        self.metrics.key_server_requests.with(&[&self.label, outcome]).add(1);
        self.metrics.key_server_latency.with(&[&self.label]).observe(begun.elapsed());
        answer
    }
}

impl KeyServer for Counted {
    fn id(&self) -> i64 {
        self.server.id()
    }

    fn name(&self) -> &str {
        self.server.name()
    }

    fn create(&self, id: KeyId) -> Result<(), ServerError> {
        self.count(|server| server.create(id))
    }

    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
        self.count(|server| server.register(id, key))
    }

    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError> {
        self.count(|server| server.find(id))
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError> {
        self.count(|server| server.key(id))
    }

    fn activate(&self, id: KeyId) -> Result<(), ServerError> {
        self.count(|server| server.activate(id))
    }

    fn revoke(&self, id: KeyId) -> Result<(), ServerError> {
        self.count(|server| server.revoke(id))
    }

    fn destroy(&self, id: KeyId) -> Result<(), ServerError> {
        self.count(|server| server.destroy(id))
    }

    fn list(&self) -> Result<Vec<ServerKey>, ServerError> {
        self.count(|server| server.list())
    }

    fn test(&self) -> Result<(), ServerError> {
        self.count(|server| server.test())
    }
}
