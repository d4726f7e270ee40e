//! From the `Authorization` header to a caller.
//!
//! ```text
//! no cluster yet ─▶ Anybody
//! header ─▶ waiting time of (user, source) ─▶ right a moment ago? ─▶ caller
//!                                                └─ no: Argon2id, two at a time ─▶ caller, or one more failure
//! ```
//! The waiting time is looked at again after the turn at Argon2 came, so guesses in parallel wait like guesses in a row.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::rpc::auth::{Credentials, Culprit, Delays, MAX_WAIT, PasswordHash, Verified};
use crate::rpc::control::{Account, Control};
use crate::rpc::error::{ApiError, ErrorName};
use crate::rpc::methods::Caller;

/// Argon2 runs at a time: each takes a core and 19 MiB.
const RUNS: usize = 2;
/// A request that would wait longer than this in all is refused unchecked.
const PATIENCE: Duration = MAX_WAIT.saturating_add(Duration::from_secs(2));

/// From where the cluster may be created, which needs no credentials because there are none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// From the same machine only.
    Loopback,
    /// From anywhere: whoever comes first is the administrator.
    Anywhere,
}

/// Why a request gets no caller.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Credentials are missing or wrong. Which of them is not told.
    Unauthorized {
        /// The user name that was given.
        user: Option<String>,
    },
    /// The accounts cannot be read. The client is not told why.
    Failed(ApiError),
}

/// Decides who calls.
pub(super) struct Gate {
    control: Arc<dyn Control>,
    setup: Setup,
    cluster_exists: AtomicBool,
    delays: Mutex<Delays>,
    verified: Mutex<Verified>,
    runs: Arc<Semaphore>,
}

impl Gate {
    /// A gate over the accounts of `control`; `None` when the operating system gives no randomness.
    pub(super) fn new(control: Arc<dyn Control>, setup: Setup) -> Option<Self> {
        Some(Self {
            control,
            setup,
            cluster_exists: AtomicBool::new(false),
            delays: Mutex::default(),
            verified: Mutex::new(Verified::new()?),
            runs: Arc::new(Semaphore::new(RUNS)),
        })
    }

    /// The caller behind the header of a request from `source`.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] after the waiting time, [`Refusal::Failed`] when accounts cannot be read.
    pub(super) async fn admit(self: &Arc<Self>, source: IpAddr, header: Option<&str>) -> Result<Caller, Refusal> {
        if !self.has_cluster().await.map_err(Refusal::Failed)? {
            return Ok(Caller::Anybody { may_create_cluster: self.setup == Setup::Anywhere || is_loopback(source) });
        }
        let Some(credentials) = header.and_then(Credentials::parse) else {
            return Err(Refusal::Unauthorized { user: None });
        };
        let culprit = Culprit::new(source, &credentials.user);
        let deadline = Instant::now() + PATIENCE;
        self.sit_out(&culprit, deadline).await?;
        let account = self.account(&credentials.user).await?;
        if let Some(account) = account.as_ref().filter(|account| self.was_right(&credentials, account)) {
            return Ok(caller(account));
        }
        self.check(credentials, account, culprit, deadline).await
    }

    async fn check(
        self: &Arc<Self>,
        credentials: Credentials,
        account: Option<Account>,
        culprit: Culprit,
        deadline: Instant,
    ) -> Result<Caller, Refusal> {
        loop {
            // The semaphore is never closed; if it were, nobody would get in.
            let turn = Arc::clone(&self.runs).acquire_owned().await.map_err(|_| unauthorized(&credentials))?;
            if self.delays().wait(&culprit, Instant::now()).is_zero() {
                return self.run(turn, credentials, account, culprit).await;
            }
            drop(turn);
            self.sit_out(&culprit, deadline).await?;
        }
    }

    /// One full check, noted in both tables. It goes on when the client hangs up, and keeps its turn so long: otherwise
    /// hanging up would be a way to have any number of runs at a time.
    async fn run(
        self: &Arc<Self>,
        turn: OwnedSemaphorePermit,
        credentials: Credentials,
        account: Option<Account>,
        culprit: Culprit,
    ) -> Result<Caller, Refusal> {
        let gate = Arc::clone(self);
        let refusal = unauthorized(&credentials);
        let check = move || {
            let is_right = is_right(&credentials, account.as_ref());
            let right = account.filter(|_| is_right);
            match &right {
                Some(account) => gate.note_right(&credentials, account, &culprit),
                None => gate.delays().failed(culprit, Instant::now()),
            }
            drop(turn);
            right
        };
        match blocking(check).await.map_err(Refusal::Failed)? {
            Some(account) => Ok(caller(&account)),
            None => Err(refusal),
        }
    }

    /// Waits until `culprit` may try again.
    async fn sit_out(&self, culprit: &Culprit, deadline: Instant) -> Result<(), Refusal> {
        let now = Instant::now();
        let wait = self.delays().wait(culprit, now);
        if now + wait > deadline {
            return Err(Refusal::Unauthorized { user: Some(culprit.user().to_owned()) });
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn has_cluster(&self) -> Result<bool, ApiError> {
        if self.cluster_exists.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let control = Arc::clone(&self.control);
        let exists = blocking(move || control.cluster_exists()).await??;
        // It never goes back to false, so a late reader only asks once more.
        self.cluster_exists.fetch_or(exists, Ordering::Relaxed);
        Ok(exists)
    }

    async fn account(&self, user: &str) -> Result<Option<Account>, Refusal> {
        let (control, user) = (Arc::clone(&self.control), user.to_owned());
        blocking(move || control.account(&user)).await.and_then(|account| account).map_err(Refusal::Failed)
    }

    fn was_right(&self, credentials: &Credentials, account: &Account) -> bool {
        let verified = self.verified();
        verified.contains(verified.mark(credentials, &account.password), Instant::now())
    }

    fn note_right(&self, credentials: &Credentials, account: &Account, culprit: &Culprit) {
        let mut verified = self.verified();
        let mark = verified.mark(credentials, &account.password);
        verified.insert(mark, Instant::now());
        drop(verified);
        self.delays().succeeded(culprit);
    }

    // Both tables are whole between any two lines that hold the lock, so a panic elsewhere does not spoil them.

    fn delays(&self) -> MutexGuard<'_, Delays> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `source` is this machine.
pub(super) fn is_loopback(source: IpAddr) -> bool {
    source.to_canonical().is_loopback()
}

fn is_right(credentials: &Credentials, account: Option<&Account>) -> bool {
    match account {
        Some(account) => account.password.is_of(&credentials.password),
        None => {
            PasswordHash::pretend(&credentials.password);
            false
        }
    }
}

fn caller(account: &Account) -> Caller {
    Caller::User { name: account.name.clone(), role: account.role }
}

fn unauthorized(credentials: &Credentials) -> Refusal {
    Refusal::Unauthorized { user: Some(credentials.user.clone()) }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::new(ErrorName::AssertionFailure, "the check of a caller broke off").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (source, expected) in [
            ("127.0.0.1", true),
            ("127.255.0.3", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("::ffff:192.0.2.1", false),
            ("2001:db8::1", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(is_loopback(source.parse().unwrap()), expected, "{source}");
        }
    }
}
