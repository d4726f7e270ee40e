//! What clients may use up.

use std::time::Duration;

/// The limits of a server. A client that breaks a limit on time is cut off; memory is bounded by what the workers have
/// ([`crate::buf::arena`]), and a client for whose request none is left waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, over all listeners; one more is closed at once.
    pub connections: usize,
    /// From accepting a connection to its transmission phase, TLS included.
    pub handshake: Duration,
    /// The longest that a request may take to arrive once it has begun, and that a client may read nothing while
    /// replies wait for it. A connection without requests may idle for ever.
    pub stall: Duration,
    /// At shutdown: how long requests in flight may take before their connections are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshake: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The limits, none of them of no time.
    pub(crate) fn workable(self) -> Self {
        let least_time = Duration::from_millis(1);
        Self { handshake: self.handshake.max(least_time), stall: self.stall.max(least_time), ..self }
    }
}
