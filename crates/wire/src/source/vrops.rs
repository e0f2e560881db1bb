//! VMware Aria Operations (vRealize Operations): REST notification plug-in.
//!
//! <https://techdocs.broadcom.com/us/en/vmware-cis/aria/aria-operations/8-18/vmware-aria-operations-configuration-guide-8-18.html>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "vrops",
    forms: "REST notification plug-in, webhook templates",
    reference: "https://techdocs.broadcom.com/us/en/vmware-cis/aria/aria-operations.html",
    detect: |v| {
        has(v, &["alertId", "criticality"])
            || has(v, &["alertName", "resourceKind"])
            || has(v, &["alertId", "adapterKind"])
            || has(v, &["alertDefinitionName", "resourceName"])
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["alertName", "alertDefinitionName", "name"],
    text: &["info", "description", "symptomDescription"],
    state: &["status"],
    severity: &["criticality", "alertCriticality"],
    key: &["alertId"],
    ts: &["updateDate"],
    starts_at: &["startDate", "startTime"],
    ends_at: &["cancelDate"],
    host: &["resourceName"],
    entities: &[("resource", "resourceId")],
    links: &[("alertDetailURL", "alert"), ("link", "alert")],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("vrops", &SHAPE, value);
    let word = d.severity_original.take();
    let level = word.as_deref().and_then(|w| {
        match w
            .trim_start_matches("ALERT_CRITICALITY_LEVEL_")
            .trim_start_matches("CRITICALITY_")
        {
            "CRITICAL" => Some(Severity::Critical),
            "IMMEDIATE" => Some(Severity::Error),
            "WARNING" => Some(Severity::Warning),
            "INFO" | "INFORMATION" => Some(Severity::Info),
            "AUTO" | "NONE" => Some(Severity::Unknown),
            _ => None,
        }
    });
    d.severity_as(word, level);
    if d.status != Some(Status::Resolved) {
        d.ends_at = None;
    }
    sink.rest(&f, d, None);
}
