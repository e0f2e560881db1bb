//! A real Apache Kafka: the one at `TEST_KAFKA`, else one that `deploy/kafka.sh` starts and stops.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// The broker while anybody uses it.
pub(crate) struct Broker {
    pub(crate) address: String,
}

static USERS: Mutex<(usize, String)> = Mutex::new((0, String::new()));

/// Runs a command of `deploy/kafka.sh` for the broker on a port; its data are this process's own.
pub(crate) fn script(command: &str, port: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::temp_dir().join(format!("stormfold-test-kafka-{port}-{}", std::process::id()));
    let output = Command::new(root.join("deploy/kafka.sh"))
        .arg(command)
        .env("DEV_KAFKA_PORT", port)
        .env("DEV_KAFKA_DATA", data)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "deploy/kafka.sh {command} failed");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The port of the broker that tests share.
const PORT: &str = "29092";

impl Broker {
    pub(crate) fn get() -> Broker {
        if let Ok(address) = std::env::var("TEST_KAFKA") {
            return Broker { address };
        }
        let mut users = USERS.lock().unwrap();
        if users.0 == 0 {
            users.1 = script("start", PORT);
        }
        users.0 += 1;
        Broker {
            address: users.1.clone(),
        }
    }

    /// A prefix that no other test and no other run uses.
    pub(crate) fn prefix(name: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        format!("{name}-{}-{now:x}.", std::process::id())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if std::env::var("TEST_KAFKA").is_ok() {
            return;
        }
        let mut users = USERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        users.0 -= 1;
        if users.0 == 0 {
            script("wipe", PORT);
        }
    }
}
