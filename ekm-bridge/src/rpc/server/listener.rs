//! Accepts connections until it is told to stop, then waits for those that are open.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Shared;
use super::connection::{self, Connection};
use super::door::Door;
use super::room::Room;

/// The pause after a connection could not be accepted, for lack of file descriptors above all.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(
    socket: TcpListener,
    door: Arc<Door>,
    shared: Arc<Shared>,
    room: Room,
    mut stop: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        let connection = tokio::select! {
            _ = stop.changed() => break,
            connection = accept(&socket, &room) => connection,
        };
        // Those that ended are taken out, so that the set holds as many as are open.
        while open.try_join_next().is_some() {}
        if let Some(connection) = connection {
            open.spawn(connection::serve(connection, door.acceptor(), Arc::clone(&shared), stop.clone()));
        }
    }
    drop(socket);
    // What is not done then is cut off when the set is dropped.
    let _ = tokio::time::timeout(shared.limits.grace, async { while open.join_next().await.is_some() {} }).await;
}

/// The next connection that there is room for.
async fn accept(socket: &TcpListener, room: &Room) -> Option<Connection> {
    let one_of_all = room.one().await?;
    match socket.accept().await {
        Ok((tcp, source)) => {
            let place = room.place(source.ip(), one_of_all)?;
            Some(Connection { tcp, source, place })
        }
        Err(_) => {
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}
