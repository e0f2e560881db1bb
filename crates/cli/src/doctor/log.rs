//! The log: whether it can be reached, and has the topics, settings and rights that are needed.

use std::sync::Arc;

use stream::{Settings, log::Log, topics};

use super::Findings;
use crate::{
    config::{Config, LogKind},
    fail::Failure,
    logs,
    topics::acl,
};

const AREA: &str = "log";

/// What the words of the client library point at, and what mends it. The first that fits.
const MENDS: &[(&str, &str)] = &[
    (
        "invalid credentials",
        "check kafka.sasl.username and its password with who runs the cluster",
    ),
    (
        "uthentication",
        "check kafka.sasl: mechanism, name and secret, with who runs the cluster",
    ),
    ("token", "renew the file kafka.sasl.token_file; see docs/kafka.md"),
    (
        "certificate verify failed",
        "set kafka.tls.ca_file to the authority that signed the brokers' certificates",
    ),
    (
        "alert bad certificate",
        "the broker wants a certificate of ours: kafka.tls.certificate_file and key_file",
    ),
    (
        "alert",
        "the broker refuses our TLS: check kafka.tls.certificate_file and what the broker asks for",
    ),
    (
        "SSL",
        "is this the TLS port of the broker? check kafka.brokers and kafka.tls",
    ),
    (
        "Failed to resolve",
        "the name of a broker means nothing here: check kafka.brokers and the name server",
    ),
    (
        "Connection refused",
        "nothing listens there: check kafka.brokers, and whether the broker runs",
    ),
    (
        "down",
        "check kafka.brokers; where the port wants TLS, set kafka.tls.enabled: true",
    ),
];

/// The log, if it answers. `runs` is whether a process has it open on this machine.
pub(super) fn open(config: &Config, runs: bool, findings: &mut Findings) -> Option<Arc<dyn Log>> {
    let place = match config.log {
        LogKind::Kafka => format!("Kafka at {}", config.kafka.brokers),
        LogKind::Embedded => config.embedded.dir.clone(),
    };
    if config.log == LogKind::Embedded {
        if runs {
            findings.ok(
                AREA,
                format!("{place} is in use by the process that answers over HTTP"),
            );
            return None;
        }
        if !std::path::Path::new(&config.embedded.dir).exists() {
            return None;
        }
    }
    let opened = logs::open(config).and_then(|log| {
        // Nothing is sent before the first question.
        match log.partitions("stormfold") {
            Err(error) if error.kind() != stream::log::LogErrorKind::Refused => Err(logs::failed(error)),
            _ => Ok(log),
        }
    });
    match opened {
        Ok(log) => {
            findings.ok(AREA, format!("{place} answers"));
            Some(log)
        }
        Err(Failure::Run(what) | Failure::Wrong(what)) => {
            let mend = MENDS.iter().find(|(words, _)| what.contains(words));
            let otherwise = match config.log {
                LogKind::Kafka => "check kafka.brokers and the way there",
                LogKind::Embedded => "only one process can have it open; is another one running?",
            };
            findings.wrong(
                AREA,
                format!("{place}: {what}"),
                mend.map_or(otherwise, |(_, mend)| *mend),
            );
            None
        }
        Err(Failure::Gone) => None,
    }
}

/// Whether all topics are there.
pub(super) fn topics(log: &dyn Log, settings: &Settings, findings: &mut Findings) -> bool {
    let area = "topics";
    let faults = match topics::check(log, settings) {
        Ok(faults) => faults,
        Err(error) => {
            findings.tried(area, Err(logs::failed(error)));
            return false;
        }
    };
    for fault in &faults {
        let mend = match fault {
            topics::TopicFault::Partitions { .. } => {
                "set topics.partitions to what there is, or take another topics.prefix"
            }
            _ => "stormfold topics create; where that is not allowed, stormfold topics needed",
        };
        findings.wrong(area, fault.to_string(), mend);
    }
    match topics::check_settings(log, settings) {
        Ok(found) => {
            if faults.is_empty() && !found.iter().any(|fault| fault.grave) {
                findings.ok(area, format!("{} as needed", topics::wanted(settings).len()));
            }
            for fault in found {
                let (topic, setting, wanted) = (&fault.topic, fault.setting, &fault.wanted);
                let mend = format!(
                    "kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {setting}={wanted}"
                );
                match fault.grave {
                    true => findings.wrong(area, fault.to_string(), mend),
                    false => findings.note(area, fault.to_string(), mend),
                }
            }
        }
        Err(error) => findings.tried("settings", Err(logs::failed(error))),
    }
    faults.is_empty()
}

pub(super) fn rights(log: &dyn Log, settings: &Settings, http: bool, findings: &mut Findings) {
    let area = "rights";
    let needs = topics::needs(settings, http);
    match log.refused(&needs) {
        Ok(refused) if refused.is_empty() => findings.ok(area, "all that are needed"),
        Ok(refused) => refused.iter().for_each(|refused| {
            let mend = acl(&refused.need, "User:<this user>");
            findings.wrong(area, format!("no right to {}", refused.need), mend);
        }),
        Err(error) => findings.tried(area, Err(logs::failed(error))),
    }
}
