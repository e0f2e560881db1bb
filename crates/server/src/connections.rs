//! Connections: how many there are, and how long one may take to say what it wants. Whoever opens many and says nothing
//! keeps nobody else waiting for long.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_service::Service;

/// Connections at one time, at most; further ones wait to be taken. Below the open files that a process usually may have.
const CONNECTIONS_MAX: usize = 512;
/// Within this the head of the first request is to be there.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// Within this the head of a further one; senders keep connections open between their posts.
const NEXT_HEAD: Duration = Duration::from_secs(75);
/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_millis(500);
/// After an error of the system (no more open files), before it is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// Serves until told to stop, or until whoever would tell is gone.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut running = JoinSet::new();
    let told = stopped.clone();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            Some((stream, permit)) = take(&listener, &room) => {
                running.spawn(one(stream, router.clone(), told.clone(), permit));
            }
            // What has ended is let go of.
            Some(_) = running.join_next() => {}
        }
    }
    // A connection kept open by its client must not hold up the stop.
    let all = async { while running.join_next().await.is_some() {} };
    let _ = timeout(GRACE, all).await;
}

async fn take(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // It is never closed.
    let permit = room.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, permit)),
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken for now");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn one(
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
) {
    // What is answered is small, and its sender waits.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let said = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        said.store(true, Ordering::Release);
        let mut router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .call(request.map(Body::new))
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(NEXT_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut first = std::pin::pin!(sleep(FIRST_HEAD));
    let mut waiting = true;
    let mut ending = false;
    loop {
        tokio::select! {
            // A client that breaks off, or speaks no HTTP, is not worth a word.
            _ = connection.as_mut() => return,
            () = first.as_mut(), if waiting => {
                waiting = false;
                if !asked.load(Ordering::Acquire) {
                    return;
                }
            }
            _ = stopped.wait_for(|stop| *stop), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
