//! The shop and its morning.

use model::{
    Edge, Event, EventKind, Labels, Node, Severity, Severity::*, Span, Status, Text, Time, TopologyDocument,
};

use super::script::{On, On::*, Raise};

/// Name, kind, team, what it uses, other names.
type Thing = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const THINGS: [Thing; 22] = [
    (
        "gateway",
        "gateway",
        "web",
        &["storefront"],
        &["prod/edge/AWS::ApplicationELB"],
    ),
    (
        "storefront",
        "service",
        "web",
        &["catalog", "cart", "checkout", "image-proxy"],
        &[],
    ),
    ("image-proxy", "service", "web", &[], &[]),
    ("catalog", "service", "discovery", &["search", "catalog-db"], &[]),
    ("search", "service", "discovery", &[], &[]),
    ("catalog-db", "database", "storage", &[], &[]),
    ("cart", "service", "checkout", &["cart-cache"], &[]),
    ("cart-cache", "cache", "storage", &[], &[]),
    (
        "checkout",
        "service",
        "checkout",
        &["orders", "payments"],
        &["prod/checkout/AWS::ECS::Service"],
    ),
    (
        "orders",
        "service",
        "checkout",
        &["orders-db"],
        &["prod/orders/AWS::ECS::Service"],
    ),
    ("orders-db", "database", "storage", &[], &["pg-orders"]),
    (
        "payments",
        "service",
        "payments",
        &["payments-db", "cardgate.example.net"],
        &[],
    ),
    ("payments-db", "database", "storage", &[], &[]),
    ("cardgate.example.net", "external", "", &[], &["Cardgate API"]),
    ("mailer", "service", "messaging", &["mail-queue"], &[]),
    ("mail-queue", "queue", "messaging", &[], &[]),
    ("reports", "service", "finance", &["orders-archive"], &[]),
    ("orders-archive", "database", "storage", &[], &[]),
    (
        "packing",
        "service",
        "warehouse",
        &["label-printing", "conveyor"],
        &[],
    ),
    ("label-printing", "service", "warehouse", &["device-bus"], &[]),
    ("conveyor", "service", "warehouse", &["device-bus"], &[]),
    ("device-bus", "queue", "warehouse", &[], &[]),
];

/// Host, its team and what runs on it.
const HOSTS: [(&str, &str, &[&str]); 2] = [
    ("pg-orders-1.shop.example.org", "storage", &["orders-db"]),
    ("bus-1.warehouse.example.org", "warehouse", &["device-bus"]),
];

pub(super) fn topology() -> TopologyDocument {
    let mut document = TopologyDocument::default();
    for (name, kind, team, uses, aliases) in THINGS {
        document.nodes.push(Node {
            id: name.into(),
            kind: kind.into(),
            team: (!team.is_empty()).then(|| team.into()),
            aliases: aliases.iter().map(|a| Text::from(*a)).collect(),
            external: kind == "external",
            tier: None,
            labels: Labels::new(),
        });
        document
            .edges
            .extend(uses.iter().map(|to| edge(name, to, "calls")));
    }
    for (host, team, runs) in HOSTS {
        document.nodes.push(Node {
            id: host.into(),
            kind: "host".into(),
            team: Some(team.into()),
            ..Node::default()
        });
        document
            .edges
            .extend(runs.iter().map(|name| edge(name, host, "runs_on")));
    }
    document
}

fn edge(from: &str, to: &str, kind: &str) -> Edge {
    Edge {
        from: from.into(),
        to: to.into(),
        kind: kind.into(),
    }
}

const MINUTE: i64 = 60;
/// The database fails at 09:02.
const DATABASE: i64 = 62 * MINUTE;
/// The warehouse fails four minutes later.
const WAREHOUSE: i64 = 66 * MINUTE;
/// The payment provider fails at 09:40.
const PROVIDER: i64 = 100 * MINUTE;

/// Everything that is raised in the morning.
pub(super) fn raises() -> Vec<Raise> {
    let mut raises = noise();
    let at = DATABASE;
    let over = at + 16 * MINUTE;
    raises.extend([
        raise(
            "zabbix",
            Host("PG-ORDERS-1"),
            "Disk /var/lib/postgresql is {n}% full",
            Warning,
            at - 40,
            over - 120,
            300,
            93,
        ),
        raise(
            "prometheus",
            Service("orders-db"),
            "PostgresWritesBlocked",
            Critical,
            at,
            over,
            60,
            0,
        ),
        raise(
            "prometheus",
            Service("orders-db"),
            "PostgresReplicationLag {n}s",
            Warning,
            at + 9,
            over,
            60,
            94,
        ),
        raise(
            "prometheus",
            Call("orders", "orders-db"),
            "QueriesFailing to orders-db",
            Error,
            at + 14,
            over,
            60,
            0,
        ),
        raise(
            "prometheus",
            Service("orders"),
            "HighErrorRate {n}%",
            Error,
            at + 17,
            over + 20,
            60,
            31,
        ),
        raise(
            "cloudwatch",
            Service("prod/checkout/AWS::ECS::Service"),
            "TargetResponseTime p99 high",
            Warning,
            at + 24,
            over + 60,
            0,
            0,
        ),
        raise(
            "prometheus",
            Service("checkout"),
            "HighErrorRate {n}%",
            Error,
            at + 31,
            over + 30,
            60,
            22,
        ),
        raise(
            "prometheus",
            Service("storefront"),
            "HighRequestLatency {n}00ms",
            Warning,
            at + 48,
            over + 40,
            60,
            24,
        ),
        raise(
            "cloudwatch",
            Service("prod/edge/AWS::ApplicationELB"),
            "HTTPCode_ELB_5XX_Count high",
            Critical,
            at + 55,
            over + 60,
            0,
            0,
        ),
        raise(
            "probe",
            Service("gateway"),
            "user journey 'buy' fails with status 50{n}",
            Critical,
            at + 63,
            over + 30,
            30,
            2,
        ),
    ]);
    let at = WAREHOUSE;
    let over = at + 9 * MINUTE;
    raises.extend([
        raise(
            "zabbix",
            Host("BUS-1"),
            "Memory {n}% used",
            Warning,
            at,
            over,
            300,
            96,
        ),
        raise(
            "prometheus",
            Service("device-bus"),
            "BrokerDown",
            Critical,
            at + 6,
            over,
            60,
            0,
        ),
        raise(
            "prometheus",
            Service("label-printing"),
            "JobsFailing {n} in 5m",
            Error,
            at + 19,
            over + 15,
            60,
            40,
        ),
        raise(
            "prometheus",
            Service("conveyor"),
            "DevicesDisconnected {n}",
            Error,
            at + 22,
            over + 15,
            60,
            11,
        ),
        raise(
            "nagios",
            Service("packing"),
            "PACKING_STATIONS WARNING - {n} of 12 idle",
            Warning,
            at + 65,
            over + 60,
            120,
            4,
        ),
    ]);
    let at = PROVIDER;
    let over = at + 11 * MINUTE;
    raises.extend([
        raise(
            "prometheus",
            Call("payments", "cardgate.example.net"),
            "RequestsFailing to cardgate.example.net",
            Error,
            at,
            over,
            60,
            0,
        ),
        raise(
            "prometheus",
            Service("payments"),
            "HighErrorRate {n}%",
            Error,
            at + 7,
            over + 10,
            60,
            18,
        ),
        raise(
            "prometheus",
            Service("checkout"),
            "PaymentsDeclined {n}%",
            Warning,
            at + 20,
            over + 30,
            60,
            17,
        ),
        raise(
            "probe",
            Service("gateway"),
            "user journey 'pay' fails with status 50{n}",
            Critical,
            at + 34,
            over + 30,
            30,
            4,
        ),
        raise(
            "statuspage",
            Service("Cardgate API"),
            "Cardgate: elevated API errors",
            Error,
            at + 150,
            over + 120,
            0,
            0,
        ),
    ]);
    raises
}

/// What never means anything: a nightly report's memory, and a proxy that comes and goes.
fn noise() -> Vec<Raise> {
    let mut raises = Vec::new();
    for i in 0..14 {
        let at = 90 + i * 8 * MINUTE;
        raises.push(raise(
            "prometheus",
            Service("reports"),
            "MemoryNearLimit {n}%",
            Warning,
            at,
            at + 100,
            60,
            91,
        ));
    }
    for i in 0..26 {
        let at = 300 + i * 4 * MINUTE;
        raises.push(raise(
            "prometheus",
            Service("image-proxy"),
            "HighRequestLatency {n}ms",
            Info,
            at,
            at + 45,
            0,
            610,
        ));
    }
    raises.push(raise(
        "prometheus",
        Service("mail-queue"),
        "ConsumerLagGrowing {n}k",
        Info,
        33 * MINUTE,
        38 * MINUTE,
        60,
        12,
    ));
    raises
}

#[expect(clippy::too_many_arguments, reason = "a row of the script, read as a table")]
const fn raise(
    source: &'static str,
    on: On,
    title: &'static str,
    severity: Severity,
    begins_s: i64,
    ends_s: i64,
    repeat_s: i64,
    reading: i64,
) -> Raise {
    Raise {
        source,
        on,
        title,
        severity,
        begins_s,
        ends_s,
        repeat_s,
        reading,
    }
}

/// Deploys of the morning; none of them is to blame.
pub(super) fn changes(start: Time) -> Vec<Event> {
    [
        ("deploy-4711", "search", "search v2.31 deployed", 41 * MINUTE),
        ("deploy-4712", "mailer", "mailer v1.9 deployed", 95 * MINUTE),
    ]
    .map(|(id, service, title, at_s)| {
        let ts = start + Span::from_secs(at_s);
        Event {
            event_id: id.into(),
            kind: EventKind::Change,
            source: "argocd".into(),
            dedup_key: id.into(),
            severity: Info,
            title: title.into(),
            received_at: ts + Span::from_millis(700),
            service: Some(service.into()),
            ..Event::bare(Status::Info, ts)
        }
    })
    .to_vec()
}
