//! The tools that watch the estate. Each names one thing in its own way and repeats itself at its own rhythm.

use model::{Severity, Text};

use super::estate::Service;

/// A monitoring tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    /// Rules over metrics; repeats every minute while it fires.
    Prometheus,
    /// The cloud's own alarms; says a state once.
    Cloudwatch,
    /// Checks of hosts; repeats every five minutes.
    Zabbix,
    /// Synthetic users; repeats every half minute.
    Probe,
}

impl Tool {
    /// The word in `source`.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Tool::Prometheus => "prometheus",
            Tool::Cloudwatch => "cloudwatch",
            Tool::Zabbix => "zabbix",
            Tool::Probe => "probe",
        }
    }
    /// Seconds between two repeats; 0 for none.
    pub(crate) fn repeat_s(self) -> i64 {
        match self {
            Tool::Prometheus => 60,
            Tool::Cloudwatch => 0,
            Tool::Zabbix => 300,
            Tool::Probe => 30,
        }
    }
    /// How it spells a service or host.
    pub(crate) fn names(self, thing: &Service) -> Text {
        match self {
            Tool::Prometheus | Tool::Probe => thing.name.clone(),
            Tool::Cloudwatch => cloud_name(thing),
            Tool::Zabbix => match thing.name.split_once('.') {
                Some((short, _)) if thing.kind == "host" => short.to_uppercase().into(),
                _ => thing.name.clone(),
            },
        }
    }
}

fn cloud_name(thing: &Service) -> Text {
    if thing.kind == "host" {
        thing.name.clone()
    } else {
        format!("prod/{}/AWS::ECS::Service", thing.name).into()
    }
}

/// Names of a thing that are no spelling of its own: they stand in the topology.
pub(crate) fn aliases(thing: &Service) -> Vec<Text> {
    if matches!(thing.kind, "host" | "external") {
        Vec::new()
    } else {
        vec![cloud_name(thing)]
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Symptom {
    /// It is down, restarting, not ready.
    State,
    /// It runs short of something.
    Resource,
    /// It is slow.
    Latency,
    /// It answers with errors.
    Errors,
    /// Calls from it to something else fail.
    Downstream,
}

impl Symptom {
    /// The title in the words of a tool; `reading` varies from event to event, `other` is what a call goes to.
    pub(crate) fn title(self, tool: Tool, kind: &str, reading: i64, other: &str) -> String {
        match (self, tool) {
            (Symptom::State, Tool::Zabbix) => "Host unreachable by ICMP".to_owned(),
            (Symptom::State, _) if kind == "database" => "DatabaseReplicaNotReady".to_owned(),
            (Symptom::State, Tool::Cloudwatch) => "HealthyHostCount below 1".to_owned(),
            (Symptom::State, _) => "InstanceDown".to_owned(),
            (Symptom::Resource, Tool::Zabbix) => format!("CPU utilisation {reading}% over 90%"),
            (Symptom::Resource, _) if kind == "database" => "ConnectionsNearLimit".to_owned(),
            (Symptom::Resource, _) if kind == "queue" => "ConsumerLagGrowing".to_owned(),
            (Symptom::Resource, _) => "MemoryNearLimit".to_owned(),
            (Symptom::Latency, Tool::Cloudwatch) => "TargetResponseTime p99 high".to_owned(),
            (Symptom::Latency, Tool::Probe) => format!("user journey takes {reading} ms"),
            (Symptom::Latency, _) => "HighRequestLatency".to_owned(),
            (Symptom::Errors, Tool::Cloudwatch) => "HTTPCode_Target_5XX_Count high".to_owned(),
            (Symptom::Errors, Tool::Probe) => format!("user journey fails with status {}", 500 + reading % 4),
            (Symptom::Errors, _) => "HighErrorRate".to_owned(),
            (Symptom::Downstream, _) => format!("RequestsFailing to {other}"),
        }
    }
    /// How bad, where it hits a user or a store hardest.
    pub(crate) fn severity(self, kind: &str) -> Severity {
        match self {
            Symptom::State => Severity::Critical,
            Symptom::Errors if kind == "gateway" => Severity::Critical,
            Symptom::Errors | Symptom::Downstream => Severity::Error,
            Symptom::Latency | Symptom::Resource => Severity::Warning,
        }
    }
}
