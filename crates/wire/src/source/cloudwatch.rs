//! AWS: CloudWatch alarms raw, through SNS and through EventBridge, AWS Health, and other EventBridge events.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>,
//! <https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html>. An SNS subscription is
//! recognised and left to the operator: the address in it is never fetched.

use super::prelude::*;

pub(crate) const SNS: Source = Source {
    name: "sns",
    forms: "SNS notifications around any source, subscription handshakes",
    reference: "https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html",
    detect: |v| {
        has(v, &["Type", "TopicArn"])
            || has(v, &["Type", "MessageId", "Message"])
            || has(v, &["Records"]) && records(v)
    },
    decode: sns,
};

pub(crate) const ALARM: Source = Source {
    name: "cloudwatch",
    forms: "alarm as posted through SNS, as an action of a function, and as the API lists it",
    reference: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    detect: |v| is_alarm(v) || listed(v).is_some() || find(v, "alarmData.state.value").is_some(),
    decode: |v, sink| match listed(v) {
        Some(alarms) => alarms.iter().for_each(|a| alarm(a, sink)),
        None if v.get("alarmData").is_some() => action(v, sink),
        None => alarm(v, sink),
    },
};

pub(crate) const EVENTBRIDGE: Source = Source {
    name: "eventbridge",
    forms: "CloudWatch alarm state change, AWS Health, other events of AWS services",
    reference: "https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html",
    detect: |v| has(v, &["detail-type", "source", "detail"]),
    decode: eventbridge,
};

fn is_alarm(v: &Value) -> bool {
    has(v, &["AlarmName"]) && (has(v, &["NewStateValue"]) || has(v, &["StateValue"]))
}

/// What `DescribeAlarms` gives.
fn listed(v: &Value) -> Option<&[Value]> {
    ["MetricAlarms", "CompositeAlarms"]
        .iter()
        .find_map(|name| v.get(name)?.as_array())
        .map(Vec::as_slice)
        .filter(|alarms| !alarms.is_empty() && alarms.iter().all(is_alarm))
}

/// What a function is called with as an action of an alarm
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html>).
fn action(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("cloudwatch", &EMPTY, value);
    if let Some(word) = changed(&f, "alarmData", &mut d) {
        d.label("state", word);
    }
    d.ts = d.ts.or_else(|| f.time(&["time"]));
    d.key = f.text("alarmArn");
    d.entity("account", f.text("accountId"));
    d.entity("region", f.text("region"));
    sink.rest(&f, d, None);
}

/// An alarm whose state changed, as an action and an event tell of it; gives the word of the state.
fn changed(f: &Fields<'_>, at: &str, d: &mut Draft) -> Option<Text> {
    let at = |name: &str| format!("{at}.{name}");
    d.title = f.text(&at("alarmName")).unwrap_or_default();
    d.text = lines([
        f.text(&at("configuration.description")),
        f.text(&at("state.reason")),
    ]);
    let word = f.text(&at("state.value"));
    d.state(word.as_deref().and_then(alarm_state));
    d.ts = f.time(&[&at("state.timestamp")]).or(d.ts);
    for metric in f.list(&at("configuration.metrics")) {
        if let Some(Value::Object(map)) = find(metric, "metricStat.metric.dimensions") {
            for (name, value) in map {
                dimension(name, scalar(value), d);
            }
        }
    }
    d.only_level();
    word
}

/// What Lambda is called with: notifications of SNS, or messages of a queue.
fn records(value: &Value) -> bool {
    let is_one =
        |r: &Value| r.get("Sns").is_some() || r.get("body").is_some() && r.get("eventSource").is_some();
    value
        .get("Records")
        .and_then(Value::as_array)
        .is_some_and(|r| !r.is_empty() && r.iter().all(is_one))
}

fn sns(value: &Value, sink: &mut Sink<'_>) {
    if let Some(records) = value.get("Records").and_then(Value::as_array) {
        for record in records {
            match (record.get("Sns"), record.get("body")) {
                (Some(message), _) => sns(message, sink),
                (None, Some(body)) if sink.inner_or_guess(body, false, None) => {}
                _ => sink.unreadable("Records.body", "holds nothing that a source knows"),
            }
        }
        return;
    }
    let f = sink.fields(value);
    let kind = f.text("Type").unwrap_or_default();
    if kind == "Notification"
        && let Some(message) = value.get("Message")
        && sink.inner_or_guess(message, true, value.get("Timestamp"))
    {
        return;
    }
    let mut d = Draft::new("sns");
    d.ts = f.time(&["Timestamp"]);
    d.event_id = f.text("MessageId");
    d.text = f.text("Message").unwrap_or_default();
    d.title = f.text("Subject").unwrap_or_else(|| {
        if kind == "Notification" {
            d.text.clone()
        } else {
            kind.clone()
        }
    });
    d.entity("topic", f.text("TopicArn"));
    let (account, region) = f.glance("TopicArn").map_or((None, None), |arn| arn_parts(&arn));
    d.entity("account", account);
    d.entity("region", region);
    if kind == "Notification" {
        // CloudWatch and others put the state before the subject.
        let word = d.title.split([':', ' ']).next().unwrap_or_default().to_owned();
        d.state(state::word(&word));
        let mut kind = None;
        if let Ok(message) = serde_json::from_str::<Value>(&d.text) {
            d.service = ["service", "Service", "Event Source"]
                .iter()
                .find_map(|p| text_at(&message, p));
            kind = of_a_service(&message, &mut d);
            labels_from(&message, "message", &mut d);
        }
        sink.rest(&f, d, kind);
    } else {
        // The confirmation's address and token are credentials of a sort; they are not copied into records.
        for secret in ["SubscribeURL", "Token", "Signature", "SigningCertURL"] {
            let _ = f.take(secret);
        }
        sink.rest(&f, d, Some(OtherKind::Handshake));
    }
}

/// Messages that AWS services send through SNS: RDS events and Auto Scaling.
///
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html>,
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html>.
fn of_a_service(message: &Value, d: &mut Draft) -> Option<OtherKind> {
    let at = |name: &str| text_at(message, name);
    if let (Some(said), Some(source)) = (at("Event Message"), at("Source ID")) {
        d.title = said;
        d.ts = at("Event Time").and_then(|t| when::any(&t, None)).or(d.ts);
        d.link(at("Identifier Link"), "source");
        d.key = Some(join(&[&source, &at("Event ID").unwrap_or_default()]));
        d.entity("database", Some(source));
        return Some(OtherKind::Change);
    }
    let event = at("Event").filter(|e| e.starts_with("autoscaling:"))?;
    d.title = at("Description").unwrap_or_else(|| event.clone());
    d.ts = at("Time").and_then(|t| when::any(&t, None)).or(d.ts);
    d.host = at("EC2InstanceId");
    d.entity("autoscaling_group", at("AutoScalingGroupName"));
    match event.as_str() {
        "autoscaling:TEST_NOTIFICATION" => Some(OtherKind::Test),
        e if e.ends_with("_ERROR") => None,
        _ => Some(OtherKind::Change),
    }
}

fn alarm(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("cloudwatch", &EMPTY, value);
    d.title = f.text("AlarmName").unwrap_or_default();
    let reason = f.first(&["NewStateReason", "StateReason"]);
    d.text = lines([f.text("AlarmDescription"), reason]);
    let word = f.first(&["NewStateValue", "StateValue"]);
    d.state(word.as_deref().and_then(alarm_state));
    if let Some(word) = word {
        d.label("state", word);
    }
    d.ts = f.time(&["StateChangeTime", "StateUpdatedTimestamp"]);
    let account = f.text("AWSAccountId");
    let arn = f.glance("AlarmArn");
    let (_, arn_region) = arn.as_deref().map_or((None, None), arn_parts);
    let region_name = f.glance("Region");
    d.key = Some(match &arn {
        Some(arn) => arn.clone(),
        None => join(&[
            account.as_deref().unwrap_or_default(),
            region_name.as_deref().unwrap_or_default(),
            &d.title,
        ]),
    });
    d.entity("account", account);
    d.entity("region", arn_region.or(region_name));
    dimensions(f.list("Trigger.Dimensions"), &mut d);
    for metric in f.list("Trigger.Metrics") {
        dimensions(
            find(metric, "MetricStat.Metric.Dimensions")
                .and_then(Value::as_array)
                .map_or(&[], Vec::as_slice),
            &mut d,
        );
    }
    dimensions(f.list("Dimensions"), &mut d);
    d.only_level();
    sink.rest(&f, d, None);
}

fn eventbridge(value: &Value, sink: &mut Sink<'_>) {
    if let Some(detail) = value.get("detail").filter(|d| super::findings::many(d).is_some()) {
        return super::findings::decode(detail, sink);
    }
    let f = sink.fields(value);
    let from = f.glance("source").unwrap_or_default();
    // What somebody else put on the bus is read as what it is.
    if !from.starts_with("aws.")
        && let Some(detail) = value.get("detail")
        && sink.inner(detail)
    {
        return;
    }
    let mut d = Draft::new(match from.as_str() {
        "aws.cloudwatch" => "cloudwatch",
        "aws.health" => "aws-health",
        _ => "eventbridge",
    });
    d.event_id = f.text("id");
    d.ts = f.time(&["time"]);
    d.entity("account", f.text("account"));
    d.entity("region", f.text("region"));
    // That an alarm was made or edited says nothing of what it watches.
    let kind = f.glance("detail-type").unwrap_or_default();
    let of_settings = kind.ends_with("Configuration Change");
    match from.as_str() {
        "aws.cloudwatch" if f.peek("detail.alarmName").is_some() && !of_settings => {
            changed(&f, "detail", &mut d);
            d.key = f.text("resources.0");
        }
        "aws.health" => return health(&f, d, sink),
        _ => {
            d.title = f
                .first(&["detail.title", "detail.insightName", "detail-type"])
                .unwrap_or_default();
            d.text = f
                .first(&[
                    "detail.description",
                    "detail.message",
                    "detail.reason",
                    "detail.stoppedReason",
                    "detail.statusMessage",
                    "detail.Message",
                    "detail.insightDescription",
                    "detail.statusReason",
                ])
                .unwrap_or_default();
            d.service = f.first(&["detail.service", "detail.group", "detail.jobName"]);
            d.host = f.first(&[
                "detail.instance-id",
                "detail.EC2InstanceId",
                "detail.ec2InstanceId",
                "detail.resource.instanceDetails.instanceId",
            ]);
            let word = f.first(&[
                "detail.severity.label", "detail.severity", "detail.insightSeverity",
            ]);
            // GuardDuty and Inspector write a number from 0 to 10.
            let level = word.as_deref().and_then(super::findings::level);
            d.severity_as(word, level);
            d.key = f.first(&[
                "detail.id",
                "detail.findingArn",
                "detail.insightId",
                "detail.taskDefinitionArn",
            ]);
            if from == "aws.rds" {
                d.entity("database", f.text("detail.SourceIdentifier"));
                d.key = Some(join(&[
                    &f.glance("detail.SourceArn").unwrap_or_default(),
                    &f.glance("detail.EventID").unwrap_or_default(),
                ]))
                .filter(|key| !key.is_empty());
            }
            if from == "aws.ecs"
                && let Some(group) = f.glance("detail.group")
            {
                d.key = Some(join(&[
                    &f.glance("detail.clusterArn").unwrap_or_default(),
                    &group,
                ]));
                d.service = Some(group.strip_prefix("service:").unwrap_or(&group).into());
            }
            let change = matches!(
                from.as_str(),
                "aws.codedeploy" | "aws.codepipeline" | "aws.cloudformation" | "aws.codebuild"
            ) || of_settings
                || kind.starts_with("AWS API Call")
                || kind.ends_with("via CloudTrail")
                || kind.ends_with("State-change Notification");
            // A timer of one's own.
            if from == "aws.events" && kind == "Scheduled Event" {
                return sink.rest(&f, d, Some(OtherKind::Heartbeat));
            }
            let state = f.first(&["detail.state", "detail.status", "detail.lastStatus"]);
            d.state(state.as_deref().and_then(|word| match word {
                "RUNNING" => Some(State::Resolved),
                "STOPPED" => Some(State::Firing),
                other => state::word(other),
            }));
            // `DevOps Guru Insight Closed`
            if d.status.is_none() {
                d.state(state::of_kind(&kind));
            }
            if change {
                d.kind = EventKind::Change;
                d.status = Some(Status::Info);
            }
            if let Some(state) = state {
                d.label("state", state);
            }
        }
    }
    sink.rest(&f, d, None);
}

fn health(f: &Fields<'_>, mut d: Draft, sink: &mut Sink<'_>) {
    d.service = f.text("detail.service");
    let code = f.text("detail.eventTypeCode");
    let category = f.text("detail.eventTypeCategory");
    d.title = code.unwrap_or_else(|| f.text("detail-type").unwrap_or_default());
    d.text = f
        .text("detail.eventDescription.0.latestDescription")
        .unwrap_or_default();
    d.key = f.first(&["detail.eventArn", "detail.communicationId"]);
    d.starts_at = f.time(&["detail.startTime"]);
    d.ends_at = f.time(&["detail.endTime"]);
    let status = f.text("detail.statusCode");
    d.state(status.as_deref().and_then(state::word));
    d.entity(
        "region",
        f.text("detail.eventRegion")
            .or_else(|| d.entities.get("region").map(Text::from)),
    );
    d.label("provider", "aws");
    // What of ours it hits.
    let hit = f.first(&["detail.affectedEntities.0.entityValue", "resources.0"]);
    if hit.as_deref().is_some_and(|h| h.starts_with("i-")) {
        d.host.clone_from(&hit);
    }
    d.entity("resource", hit);
    let kind = match category.as_deref() {
        Some("scheduledChange") => Some(OtherKind::Maintenance),
        Some("accountNotification") => Some(OtherKind::Notice),
        _ => None,
    };
    d.severity_as(category, Some(Severity::Error));
    if kind.is_some() {
        d.severity = Some(Severity::Info);
    }
    sink.rest(f, d, kind);
}

fn alarm_state(word: &str) -> Option<State> {
    match word {
        "ALARM" => Some(State::Firing),
        "OK" => Some(State::Resolved),
        "INSUFFICIENT_DATA" => Some(State::Info),
        other => state::word(other),
    }
}

fn dimensions(list: &[Value], d: &mut Draft) {
    for item in list {
        let name = text_at(item, "name").or_else(|| text_at(item, "Name"));
        let value = text_at(item, "value").or_else(|| text_at(item, "Value"));
        if let Some(name) = name {
            dimension(&name, value, d);
        }
    }
}

/// Which entity a dimension names.
fn dimension(name: &str, value: Option<Text>, d: &mut Draft) {
    let Some(value) = value else { return };
    if d.entities.get("dimension").is_none() {
        d.entity("dimension", Some(compact_str::format_compact!("{name}:{value}")));
    }
    let kind = match name {
        "InstanceId" => {
            d.host = d.host.take().or_else(|| Some(value.clone()));
            "instance"
        }
        "ServiceName" | "FunctionName" | "ApiName" | "StateMachineArn" | "ApplicationName"
        | "EnvironmentName" | "Service" => {
            d.service = d.service.take().or_else(|| Some(value.clone()));
            "service"
        }
        "DBInstanceIdentifier" | "DBClusterIdentifier" | "TableName" => "database",
        "CacheClusterId" | "ReplicationGroupId" => "cache",
        "QueueName" => "queue",
        "TopicName" => "topic",
        "LoadBalancer" | "LoadBalancerName" => "load_balancer",
        "TargetGroup" => "target_group",
        "ClusterName" => "cluster",
        "AutoScalingGroupName" => "autoscaling_group",
        "AvailabilityZone" => "zone",
        "VolumeId" => "volume",
        _ => return,
    };
    d.entity(kind, Some(value));
}

/// Account and region of an ARN.
fn arn_parts(arn: &str) -> (Option<Text>, Option<Text>) {
    let mut parts = arn.split(':').skip(3);
    let region = parts.next().filter(|p| !p.is_empty()).map(Text::from);
    let account = parts.next().filter(|p| !p.is_empty()).map(Text::from);
    (account, region)
}
