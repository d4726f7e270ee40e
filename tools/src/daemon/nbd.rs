//! The NBD server of all volumes, on its thread.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use datapath::export::nbd::{BindError, Config, Handle, Limits, Listen, Publisher, RunError, Server, TlsConfig, Uri};

use super::error::DaemonError;
use super::settings::Section;
use crate::hardening::Act;
use crate::serve::resolve;
use crate::wait::wait_until;

/// How long a killed daemon may take to be gone, with its sockets.
const DEATH: Duration = Duration::from_secs(5);

/// A server that listens, and whose threads wait.
pub(super) struct Bound(Server);

/// A server that serves.
pub(super) struct Nbd {
    handle: Handle,
    thread: JoinHandle<Result<(), RunError>>,
}

impl Bound {
    /// Listens where it is told to, else at a socket in the directory of sockets.
    pub(super) fn bind(section: &Section, run_dir: &Path) -> Result<Self, DaemonError> {
        let listen = match &section.nbd {
            None => vec![Listen::Unix(run_dir.join("nbd.sock"))],
            Some(typed) => typed
                .iter()
                .map(|typed| resolve(&typed.0))
                .collect::<Result<_, _>>()
                .map_err(|error| DaemonError::Section(format!("nbd: {error}")))?,
        };
        let tls = section.nbd_tls().map_err(DaemonError::Section)?;
        Ok(Self(bind(&listen, tls.as_ref())?))
    }

    /// What makes volumes exports, and takes them away.
    pub(super) fn publisher(&self) -> Publisher {
        self.0.publisher()
    }

    /// Where it listens, for people.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.0.addresses().iter().map(ToString::to_string).collect()
    }

    /// Where it listens.
    pub(super) fn uris(&self) -> Vec<Uri> {
        self.0.addresses()
    }

    /// The files of its sockets.
    pub(super) fn sockets(&self) -> Vec<PathBuf> {
        let path = |uri: Uri| match uri.at {
            Listen::Unix(path) => Some(path),
            Listen::Tcp(_) => None,
        };
        self.0.addresses().into_iter().filter_map(path).collect()
    }

    /// Lets each of its threads act once.
    pub(super) fn each_thread(&self, act: &Act) -> std::io::Result<()> {
        self.0.workers().each_thread(act)
    }

    /// Serves. `ended` is called when it does so no more, for whatever reason.
    pub(super) fn serve(self, ended: impl FnOnce() + Send + 'static) -> Result<Nbd, DaemonError> {
        let handle = self.0.handle();
        Ok(Nbd { handle, thread: spawn(move || self.0.run(), ended)? })
    }
}

fn spawn(
    run: impl FnOnce() -> Result<(), RunError> + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<Result<(), RunError>>, DaemonError> {
    let life = move || {
        // Also when it panics: nobody may think that volumes are served.
        let _last = OnEnd(Some(ended));
        run()
    };
    thread::Builder::new().name("nbd".to_owned()).spawn(life).map_err(DaemonError::Threads)
}

struct OnEnd<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnEnd<F> {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take() {
            ended();
        }
    }
}

impl Nbd {
    /// Ends it in order.
    pub(super) fn stop(self) -> Result<(), DaemonError> {
        self.handle.shutdown();
        join(self.thread)
    }
}

fn join(thread: JoinHandle<Result<(), RunError>>) -> Result<(), DaemonError> {
    let ended = thread.join().map_err(|_| DaemonError::Threads(std::io::Error::other("the NBD server panicked")))?;
    Ok(ended?)
}

/// Listens. The ring of a killed daemon holds its sockets until the kernel has taken it apart, a moment after its end.
fn bind(listen: &[Listen], tls: Option<&TlsConfig>) -> Result<Server, DaemonError> {
    let once = || {
        let (exports, listen, tls) = (Vec::new(), listen.to_vec(), tls.cloned());
        Server::bind(Config { exports, listen, tls, limits: Limits::default(), workers: None, ring: None })
    };
    let mut outcome = once();
    wait_until(DEATH, || {
        if let Err(BindError::Listen(_)) = outcome {
            outcome = once();
        }
        !matches!(outcome, Err(BindError::Listen(_)))
    });
    Ok(outcome?)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn its_end_is_told_however_it_comes() {
        let failure = || Err(RunError::Ring(std::io::Error::other("no ring")));
        let panics = || -> Result<(), RunError> { panic!("on purpose") };
        let runs: [Box<dyn FnOnce() -> Result<(), RunError> + Send>; 3] =
            [Box::new(|| Ok(())), Box::new(failure), Box::new(panics)];
        for (run, is_well) in runs.into_iter().zip([true, false, false]) {
            let (told, ended) = mpsc::channel();
            let thread = spawn(run, move || told.send(()).unwrap()).unwrap();
            ended.recv().unwrap();
            assert_eq!(join(thread).is_ok(), is_well);
        }
    }
}
