//! The broker: one of our own, because it is stopped and killed too.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

/// A running broker; its data are removed at the end.
pub(crate) struct Broker {
    pub(crate) address: String,
    port: String,
    /// Files of this run.
    pub(crate) dir: PathBuf,
    /// Before the names of this run's topics.
    pub(crate) prefix: String,
}

impl Broker {
    pub(crate) fn start() -> Result<Broker, String> {
        let port = std::env::var("CHAOS_KAFKA_PORT").unwrap_or_else(|_| "29492".to_owned());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let dir = std::env::temp_dir().join(format!("stormfold-chaos-{}", std::process::id()));
        std::fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
        let mut broker = Broker {
            address: String::new(),
            port,
            dir,
            prefix: format!("chaos-{:x}", now.as_millis()),
        };
        broker.address = broker.script("start")?;
        Ok(broker)
    }

    /// Runs a command of `deploy/kafka.sh`.
    pub(crate) fn script(&self, command: &str) -> Result<String, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kafka.sh");
        let output = Command::new(script)
            .arg(command)
            .env("DEV_KAFKA_PORT", &self.port)
            .env("DEV_KAFKA_DATA", self.dir.join("kafka"))
            .env("DEV_KAFKA_HEAP", "512m")
            .stderr(Stdio::null())
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!(
                "deploy/kafka.sh {command} failed; see {}",
                self.dir.display()
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // What went wrong is looked for in the logs of the workers.
        let _ = self.script("wipe");
        if std::env::var_os("CHAOS_KEEP").is_none() && !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}
