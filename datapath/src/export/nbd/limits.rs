//! What clients may use up.

use std::time::Duration;

use super::exports::MAX_PAYLOAD;

/// What a request is charged beyond its payload, in bytes: it bounds requests that carry none.
pub(crate) const REQUEST_COST: u64 = 4096;
/// The least that a limit on bytes in flight can be: one request of the longest payload.
const LEAST_IN_FLIGHT: u64 = MAX_PAYLOAD as u64 + REQUEST_COST;

/// The limits of a server. A client at a limit on bytes waits; one that breaks a limit on time is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, over all listeners; one more is closed at once.
    pub connections: usize,
    /// Payload bytes of one connection that are between being read from, or promised to, its socket and leaving the
    /// server. Each request is charged 4 KiB more. Raised to one request of the longest payload if lower.
    pub in_flight_per_connection: u64,
    /// The same over all connections.
    pub in_flight: u64,
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
            connections: 128,
            in_flight_per_connection: 64 << 20,
            in_flight: 256 << 20,
            handshake: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The limits with those raised that no request would fit in, and none of no time.
    pub(crate) fn workable(self) -> Self {
        let least_time = Duration::from_millis(1);
        Self {
            in_flight_per_connection: self.in_flight_per_connection.max(LEAST_IN_FLIGHT),
            in_flight: self.in_flight.max(LEAST_IN_FLIGHT),
            handshake: self.handshake.max(least_time),
            stall: self.stall.max(least_time),
            ..self
        }
    }
}
