//! Findings of security services: AWS GuardDuty, Security Hub (ASFF), Inspector, as their APIs and EventBridge give them;
//! Google's Security Command Center, as it posts them to Pub/Sub.
//!
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html>,
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>,
//! <https://cloud.google.com/security-command-center/docs/how-to-notifications>. A finding's id is its identity; one that
//! is archived or inactive, or whose workflow is done, is over.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "aws-finding",
    forms: "GuardDuty and Security Hub findings, one or many",
    reference: "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html",
    detect: |v| is_one(v) || many(v).is_some(),
    decode,
};

pub(crate) const SCC: Source = Source {
    name: "gcp-finding",
    forms: "notifications of Security Command Center",
    reference: "https://cloud.google.com/security-command-center/docs/how-to-notifications",
    detect: |v| find(v, "finding.category").is_some() && find(v, "finding.name").is_some(),
    decode: |v, sink| {
        let (f, mut d) = sink.read("gcp-finding", &OF_SCC, v);
        // `//storage.googleapis.com/shop-assets`
        d.host = d.host.map(|name| name.rsplit('/').next().unwrap_or(&name).into());
        sink.rest(&f, d, None);
    },
};

const OF_SCC: Shape = Shape {
    title: &["finding.category"],
    text: &["finding.description", "finding.sourceProperties.Explanation"],
    state: &["finding.state"],
    severity: &["finding.severity"],
    key: &["finding.name"],
    ts: &["finding.eventTime", "finding.createTime"],
    starts_at: &["finding.createTime"],
    host: &["resource.displayName", "finding.resourceName", "resource.name"],
    entities: &[
        ("project", "resource.projectDisplayName"),
        ("project", "resource.gcpMetadata.projectDisplayName"),
    ],
    links: &[("finding.externalUri", "resource")],
    ..EMPTY
};

const ASFF: Shape = Shape {
    title: &["Title"],
    text: &["Description"],
    key: &["Id"],
    ts: &["UpdatedAt", "LastObservedAt", "CreatedAt"],
    starts_at: &["FirstObservedAt", "CreatedAt"],
    service: &["ProductName"],
    host: &["Resources.0.Id"],
    entities: &[
        ("account", "AwsAccountId"),
        ("region", "Region"),
        ("resource", "Resources.0.Id"),
    ],
    links: &[
        ("SourceUrl", "finding"),
        ("Remediation.Recommendation.Url", "remediation"),
    ],
    ..EMPTY
};

const GUARDDUTY: Shape = Shape {
    title: &["title", "Title"],
    text: &["description", "Description"],
    ts: &["updatedAt", "UpdatedAt", "service.eventLastSeen"],
    starts_at: &["service.eventFirstSeen", "createdAt", "CreatedAt"],
    service: &["service.serviceName"],
    host: &["resource.instanceDetails.instanceId", "resource.resourceType"],
    entities: &[("account", "accountId"), ("region", "region")],
    ..EMPTY
};

fn is_one(v: &Value) -> bool {
    is_asff(v)
        || has(v, &["schemaVersion", "accountId", "severity", "type"])
        || has(v, &["SchemaVersion", "AccountId", "Severity", "Type"])
}

fn is_asff(v: &Value) -> bool {
    has(v, &["Title"])
        && ["ProductArn", "AwsAccountId", "RecordState", "Workflow"]
            .iter()
            .any(|k| v.get(k).is_some())
}

/// Several, as `detail.findings` of EventBridge or `Findings` of an API.
pub(crate) fn many(v: &Value) -> Option<&[Value]> {
    ["findings", "Findings"]
        .iter()
        .find_map(|name| v.get(name)?.as_array())
        .map(Vec::as_slice)
        .filter(|list| !list.is_empty() && list.iter().all(is_one))
}

pub(crate) fn decode(value: &Value, sink: &mut Sink<'_>) {
    match many(value) {
        Some(list) => list.iter().for_each(|v| one(v, sink)),
        None => one(value, sink),
    }
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let mut d = if is_asff(value) {
        ASFF.read("securityhub", &f)
    } else {
        GUARDDUTY.read("guardduty", &f)
    };
    d.key = d.key.take().or_else(|| f.first(&["arn", "Arn", "id", "Id"]));
    let word = f.first(&["Severity.Label", "severity", "Severity.Normalized", "Severity"]);
    let level = word.as_deref().and_then(level);
    d.severity_as(word, level);
    let over = f.glance("RecordState").as_deref() == Some("ARCHIVED")
        || f.glance("service.archived").as_deref() == Some("true")
        || f.glance("Compliance.Status").as_deref() == Some("PASSED")
        || matches!(
            f.glance("Workflow.Status").as_deref(),
            Some("RESOLVED" | "SUPPRESSED")
        );
    let taken = f.glance("Workflow.Status").as_deref() == Some("NOTIFIED");
    d.over_or_taken(over, taken);
    if let Some(id) = d.host.take() {
        d.host = Some(id.rsplit(['/', ':']).next().unwrap_or(&id).into());
    }
    sink.rest(&f, d, None);
}

/// GuardDuty's numbers go to 10, normalized ones to 100.
pub(crate) fn level(word: &str) -> Option<Severity> {
    let n: f64 = word.parse().ok()?;
    let n = if n > 10.0 { n / 10.0 } else { n };
    Some(match n {
        n if n >= 9.0 => Severity::Critical,
        n if n >= 7.0 => Severity::Error,
        n if n >= 4.0 => Severity::Warning,
        _ => Severity::Notice,
    })
}
