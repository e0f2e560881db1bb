//! The server itself: routes, its thread, its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use stream::{
    Probe,
    log::{Log, TopicName},
};
use tokio::sync::watch;

use crate::{
    accept::Accept,
    access::Access,
    answer::Refusal,
    ingest,
    metrics::Metrics,
    read,
    settings::{HttpSettings, check},
    view::View,
};

/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_millis(500);

/// What every request can reach.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: HttpSettings,
    pub(crate) access: Access,
    pub(crate) accept: Accept,
    pub(crate) metrics: Metrics,
    pub(crate) view: Arc<View>,
    pub(crate) probe: Probe,
    pub(crate) raw: TopicName,
}

impl std::ops::Deref for Shared {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    view_stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the server on threads of its own. Posts go to the topic `raw`; `incidents` is what can be asked for.
///
/// An error says in words what is to be done about it.
pub fn start(
    settings: &HttpSettings,
    log: Arc<dyn Log>,
    probe: Probe,
    raw: TopicName,
    incidents: TopicName,
) -> Result<Server, String> {
    check(settings).map_err(|e| format!("http.{}: {}", e.field, e.what))?;
    let appender = log.appender().map_err(|e| e.to_string())?;
    let accept = Accept::start(appender, settings.waiting_bytes_max).map_err(|e| e.to_string())?;
    let view = Arc::new(View::default());
    let view_stop = Arc::new(AtomicBool::new(false));
    let view_thread = view
        .clone()
        .follow(log, incidents, view_stop.clone())
        .map_err(|e| e.to_string())?;
    let shared = Shared(Arc::new(Inner {
        settings: settings.clone(),
        access: Access::new(settings),
        accept,
        metrics: Metrics::new().map_err(|e| e.to_string())?,
        view,
        probe,
        raw,
    }));
    let listener = std::net::TcpListener::bind(&settings.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|e| {
            let taken = e.kind() == std::io::ErrorKind::AddrInUse;
            let hint = if taken {
                "; end what listens there, or choose another port"
            } else {
                ""
            };
            format!("http.listen: {}: {e}{hint}", settings.listen)
        })?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("no HTTP thread: {e}"))?;
    let (stop, stopped) = watch::channel(false);
    let serve = move || runtime.block_on(serve(listener, router(shared), stopped));
    let thread = std::thread::Builder::new().name("http".into()).spawn(serve);
    let thread = thread.map_err(|e| format!("no HTTP thread: {e}"))?;
    Ok(Server {
        address,
        stop,
        view_stop,
        threads: vec![thread, view_thread],
    })
}

async fn serve(listener: std::net::TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "no HTTP");
            return;
        }
    };
    let mut told = stopped.clone();
    let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the server was dropped, which is a stop as well.
        let _ = told.wait_for(|stop| *stop).await;
    });
    // A connection kept open by its client must not hold up the stop.
    tokio::select! {
        done = std::future::IntoFuture::into_future(graceful) => {
            if let Err(error) = done {
                tracing::error!(%error, "HTTP ended");
            }
        }
        () = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        } => {}
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/ingest", post(ingest::any))
        .route("/v1/ingest/{source}", post(ingest::named))
        .route("/api/v2/alerts", post(ingest::alertmanager))
        .route("/v2/enqueue", post(ingest::enqueue))
        .route("/v1/incidents", get(read::incidents))
        .route("/v1/incidents/{id}", get(read::incident))
        .route("/metrics", get(read::metrics))
        .route("/healthz", get(read::healthz))
        .route("/readyz", get(read::readyz))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "there is nothing here").respond())
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method").respond()
        })
        .with_state(shared)
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, ends those under way, and returns.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.view_stop.store(true, Ordering::Release);
        // Nobody listening means that the server has ended by itself.
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
