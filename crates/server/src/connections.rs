//! Connections: how many there are, and how long one may take to say what it wants and to take its answer. Whoever opens
//! many and says nothing keeps nobody else out: a new connection always gets a place, that of the one that was silent
//! longest.

use std::{
    collections::HashMap,
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
    sync::watch,
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{sleep, timeout},
};
use tower_service::Service;

use crate::moving::{Moved, Moving};

/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_millis(500);
/// After an error of the system (no more open files), before it is tried again.
const AGAIN: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(crate) struct Limits {
    /// Connections at one time, at most.
    connections: usize,
    /// Within this the head of the first request is to be there.
    first_head: Duration,
    /// Within this the head of a further one; senders keep connections open between their posts.
    next_head: Duration,
    /// Within this a client is to take an answer that does not go out at once.
    answer: Duration,
}

impl Limits {
    /// Half of the files that the process may have open, since the log needs some too; 2,048 at most.
    pub(crate) fn of_process() -> Limits {
        Limits {
            connections: (open_files().unwrap_or(1_024) / 2).clamp(16, 2_048),
            first_head: Duration::from_secs(10),
            next_head: Duration::from_secs(75),
            answer: Duration::from_secs(60),
        }
    }
}

/// `None`: the system does not say.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    files.split_whitespace().next()?.parse().ok()
}

/// Serves until told to stop, or until whoever would tell is gone.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let mut places = Places::default();
    let all = Moved::default();
    let told = stopped.clone();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            taken = listener.accept() => match taken {
                Ok((stream, _)) => {
                    places.make_room(limits.connections).await;
                    let moved = all.another();
                    places.take(moved.clone(), one(stream, moved, router.clone(), limits.clone(), told.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken for now");
                    sleep(AGAIN).await;
                }
            },
            // What has ended is let go of.
            Some(ended) = places.running.join_next_with_id() => places.leave(ended),
        }
    }
    // A connection kept open by its client must not hold up the stop.
    let all = async { while places.running.join_next().await.is_some() {} };
    let _ = timeout(GRACE, all).await;
}

#[derive(Default)]
struct Places {
    running: JoinSet<()>,
    taken: HashMap<Id, (Moved, AbortHandle)>,
}

impl Places {
    fn take(&mut self, moved: Moved, connection: impl Future<Output = ()> + Send + 'static) {
        let handle = self.running.spawn(connection);
        self.taken.insert(handle.id(), (moved, handle));
    }

    fn leave(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.taken.remove(&id);
    }

    /// Where all places are taken, closes the connection in which nothing has moved for longest. Mostly its client keeps
    /// it open between posts, and opens another one for the next; waiting instead would shut out the probes too, and
    /// whoever asks them would end a process that is well.
    async fn make_room(&mut self, max: usize) {
        while self.taken.len() >= max {
            if let Some((_, handle)) = self.taken.values().min_by_key(|(moved, _)| moved.last()) {
                handle.abort();
            }
            match self.running.join_next_with_id().await {
                Some(ended) => self.leave(ended),
                None => return,
            }
        }
    }
}

async fn one(
    stream: TcpStream,
    moved: Moved,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
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
        .header_read_timeout(limits.next_head)
        .serve_connection(TokioIo::new(Moving::new(stream, moved, limits.answer)), service);
    let mut connection = std::pin::pin!(connection);
    let mut first = std::pin::pin!(sleep(limits.first_head));
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpStream},
        sync::mpsc,
    };

    use axum::{body::Bytes, routing::get};

    use super::*;

    const LARGE: usize = 64 << 20;

    /// Says when it is let go of.
    struct Large(Vec<u8>, mpsc::Sender<()>);

    impl AsRef<[u8]> for Large {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Large {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }

    /// A server that runs until the sender is dropped.
    fn started(connections: usize, answer: Duration, router: Router) -> (SocketAddr, watch::Sender<bool>) {
        let limits = Limits {
            connections,
            answer,
            ..Limits::of_process()
        };
        let (stop, stopped) = watch::channel(false);
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                say.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, router, limits, stopped).await;
            });
        });
        (said.recv().unwrap(), stop)
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).unwrap();
        // Only so that a failure ends.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream) -> bool {
        let mut answer = [0; 12];
        let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        if asked.and_then(|()| stream.read_exact(&mut answer)).is_err() {
            return false;
        }
        // The rest, so that the next answer is read from its beginning.
        let mut rest = Vec::new();
        while !rest.ends_with(b"\r\n\r\nok") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
        answer == *b"HTTP/1.1 200"
    }

    #[test]
    fn a_crowd_that_is_silent_shuts_nobody_out() {
        let router = Router::new().route("/healthz", get(async || "ok"));
        let (address, _stop) = started(4, Duration::from_secs(60), router);
        let mut crowd: Vec<_> = (0..4).map(|_| connect(address)).collect();
        assert!(crowd.iter_mut().all(ask));
        // The first one is no longer the one that was silent longest.
        assert!(ask(&mut crowd[0]));
        let mut probe = connect(address);
        assert!(ask(&mut probe));
        assert!(!ask(&mut crowd[1]));
        assert!(ask(&mut crowd[0]) && ask(&mut crowd[2]) && ask(&mut crowd[3]) && ask(&mut probe));
        // Nor does one that never says anything.
        let crowd: Vec<_> = (0..40).map(|_| connect(address)).collect();
        assert!(ask(&mut connect(address)));
        drop(crowd);
    }

    #[test]
    fn who_does_not_take_an_answer_is_let_go_of() {
        let (gone, wait) = mpsc::channel();
        let large = async move || Body::from(Bytes::from_owner(Large(vec![b'x'; LARGE], gone)));
        let router = Router::new().route("/large", get(large));
        let (address, _stop) = started(4, Duration::from_millis(20), router);
        let mut stream = connect(address);
        stream
            .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        wait.recv_timeout(Duration::from_secs(60)).unwrap();
        let mut read = Vec::new();
        let _ = stream.read_to_end(&mut read);
        assert!(read.len() < LARGE);
    }

    #[test]
    fn the_open_files_are_known_where_the_system_says() {
        assert!(!cfg!(target_os = "linux") || open_files().is_some_and(|files| files > 0));
    }
}
