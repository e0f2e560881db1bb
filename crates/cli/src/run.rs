//! `stormfold run`: the pipeline until somebody ends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use stream::{Pipeline, SystemClock};

use crate::{
    config,
    config::{Config, LogFormat, LogKind},
    fail::{Done, Failure},
    logs,
    tables::Watch,
};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    config: config::File,
    /// Continue although the journal no longer reaches back to the checkpoint; what lies between is missing.
    #[arg(long)]
    accept_gap: bool,
}

const EXAMPLES: &str = "\
SIGTERM or Ctrl-C: input is read no further, what was read is folded, a checkpoint is written, all within two seconds. \
A second one ends at once; nothing committed is lost. \
SIGHUP reads the tables of decode.tables anew; so does a change of one of their files.

Without a configuration the log is kept in ./stormfold-data, and monitoring tools post to http://127.0.0.1:8780.

Examples:
  stormfold run
  stormfold run --config stormfold.yaml
  curl -s http://127.0.0.1:8780/readyz";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let config = args.config.load()?;
    log_to_stderr(&config)?;
    let mut tables = Watch::new(config.decode.tables.clone());
    let mut settings = logs::settings(&config)?;
    settings.new_tables = tables.new_tables();
    if args.accept_gap {
        settings.gap = stream::Gap::Accept;
    }
    let listener = config.http.enabled.then(|| server::bind(&config.http));
    let listener = listener.transpose().map_err(Failure::Run)?;
    let log = logs::open(&config)?;
    if config.log == LogKind::Embedded {
        // On this machine the topics are ours alone, so nobody has to be asked.
        stream::topics::create(log.as_ref(), &settings).map_err(logs::failed)?;
    }
    let told = stop_flag().map_err(|e| Failure::io("signals", e))?;
    flag::register(SIGHUP, tables.asked()).map_err(|e| Failure::io("signals", e))?;
    let topics = settings.topics.clone();
    let handle = Pipeline::start(settings, log.clone(), Arc::new(SystemClock)).map_err(logs::failed)?;
    let server = match listener {
        Some(listener) => {
            // On Kafka anybody may list the dead letters meanwhile, and reading them takes a right that the pipeline needs not.
            let has_letters = config.log == LogKind::Embedded;
            let started = server::start(&config.http, listener, log, handle.probe(), &topics, has_letters);
            Some(started.map_err(Failure::Run)?)
        }
        None => None,
    };
    tracing::info!(
        log = ?config.log,
        listen = server.as_ref().map(|s| s.address().to_string()),
        page_mode = ?config.page.mode,
        "running"
    );
    let failure = wait(&told, &handle, &mut tables);
    // Senders are told to come again before the log stops taking.
    if let Some(server) = server {
        server.stop();
    }
    handle.stop();
    tracing::info!("stopped");
    match failure {
        Some(failure) => Err(Failure::Wrong(failure)),
        None => Ok(()),
    }
}

/// Set by the first signal to end; the second one ends the process at once.
fn stop_flag() -> std::io::Result<Arc<AtomicBool>> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 1, told.clone())?;
        flag::register(signal, told.clone())?;
    }
    Ok(told)
}

/// Waits until told to end, or for a fault that only a person can mend; looks after the tables meanwhile.
fn wait(told: &AtomicBool, handle: &stream::Handle, tables: &mut Watch) -> Option<String> {
    while !told.load(Ordering::Acquire) {
        if let Some(failure) = handle.failure() {
            return Some(failure);
        }
        tables.look();
        std::thread::sleep(Duration::from_millis(20));
    }
    tracing::info!("stopping");
    None
}

fn log_to_stderr(config: &Config) -> Done {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.logging.level)
        .map_err(|e| Failure::Wrong(format!("logging.level: {e}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.logging.format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init(),
    }
    Ok(())
}
