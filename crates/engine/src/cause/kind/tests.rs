//! Titles of rules of all kinds of tools, and what they are taken for.

use super::*;

#[test]
fn words_name_the_ground() {
    for (title, text, ground) in [
        ("lookup orders on 10.0.0.10:53: no such host", "", Some("dns")),
        ("DNSLookupFailed", "", Some("dns")),
        ("SyncFailed", "Temporary failure in name resolution", Some("dns")),
        (
            "HighErrorRate",
            "lookup index on 10.0.0.10:53: server misbehaving",
            Some("dns"),
        ),
        (
            "RequestsFailing",
            "getaddrinfo: name or service not known",
            Some("dns"),
        ),
        (
            "RequestsFailing",
            "x509: certificate has expired",
            Some("certificate"),
        ),
        ("mail server misbehaving", "", None),
        ("name resolution order of customers changed", "", None),
        ("TLSCertExpired", "", Some("certificate")),
        (
            "RequestsFailing",
            "java.net.UnknownHostException: stock",
            Some("dns"),
        ),
        ("RequestsFailing", "getaddrinfo ENOTFOUND stock", Some("dns")),
        ("HighErrorRate", "5 % of requests fail", None),
    ] {
        assert_eq!(said_ground(title, text), ground, "{title}");
    }
}

#[test]
fn what_ran_out() {
    for title in [
        "DiskFull",
        "connection pool exhausted",
        "Out of memory",
        "No space left on device",
    ] {
        assert!(ran_out(title), "{title}");
    }
    for title in ["DiskSpaceLow", "CPUHigh", "5 out 6 probes fail"] {
        assert!(!ran_out(title), "{title}");
    }
}

#[test]
fn what_load_uses_up_is_not_of_itself() {
    let of = |title| kind_of(title, "", "prometheus", &Labels::new());
    let fails = |title| breaks_by_itself(of(title), title, Severity::Error);
    for title in [
        "DiskFull",
        "PostgresqlDown",
        "OOMKilled",
        "ClusterRed",
        "Volume data is full",
    ] {
        assert!(fails(title), "{title}");
    }
    for title in [
        "connection pool exhausted",
        "HighErrorRate",
        "CPUHigh",
        "Disk latency high",
        "Java heap space exhausted",
        "SwapSpaceFull",
    ] {
        assert!(!fails(title), "{title}");
        assert!(!breaks_by_itself(of(title), title, Severity::Critical), "{title}");
    }
}

#[test]
fn the_words_of_real_rules() {
    use AlertKind::*;
    for (title, kind) in [
        ("HighRequestErrorRate", Error),
        ("Availability low", Error),
        ("p95 latency high", Latency),
        ("TargetResponseTime alarm", Latency),
        ("NoRequestsReceived", Traffic),
        ("Request rate spiked", Traffic),
        ("PodRequestRateDropped", Traffic),
        ("KubePodNotReady", State),
        ("Process httpd is not running", State),
        ("mailer exited", State),
        ("RabbitmqNoQueueConsumer", Traffic),
        ("Queue mails has no consumers", Traffic),
        ("Consumer lag high, no progress", Latency),
        ("RabbitmqTooManyMessagesInQueue", Latency),
        ("Pool member down: 2 of 3 up", Error),
        ("Backend pool degraded", Error),
        ("Connection pool exhausted", Resource),
        ("KubePodCrashLooping", State),
        ("KubeDeploymentRolloutStuck", State),
        ("UnderReplicatedPartitions", State),
        ("KafkaBrokerDown", Absent),
        ("DeviceDown", Absent),
        ("check-disk: no result within ttl", Absent),
        ("PodCPUUsageHigh", Resource),
        ("docker_memory_usage_max abnormally low", ResourceLow),
        ("NodeFilesystemSpaceLow", Resource),
        ("DatabaseOutOfConnections", Resource),
        ("Disk latency high", Resource),
        ("etcdHighFsyncDurations", Resource),
        ("etcdHighCommitDurations", Latency),
        ("ConnectionsTimedOut", Latency),
        ("Ping timed out", Absent),
        ("Node heartbeat timed out", Absent),
        ("Host unreachable: connection timed out", Absent),
        ("Leader election timed out", State),
        ("Lease timed out, node lost", Absent),
        ("Connection pool timed out", Resource),
        ("Checkout timed out", Latency),
        ("No free connections, connection failures", Resource),
        ("Out of connections: connection failed", Resource),
        ("Connections to orders refused", Error),
        ("ConnectionFailures", Error),
        ("Too many connections, new ones refused", Resource),
        ("grpc-mrt abnormally high", Latency),
        ("avg_rt > 3 s", Latency),
        ("PodClientLatencyHigh", Asking),
        ("PodServerLatencyHigh", Latency),
        ("http_client_request_duration p99 high", Asking),
        ("Client-facing latency high", Latency),
        ("UpstreamResponseTime", Asking),
        ("Outbound call latency", Asking),
        ("ReplicaLag", Latency),
        ("QueueBacklog", Latency),
        ("login_model_implement", Other),
        ("ConfigReloadFailure", Error),
        ("HTTP 500 errors: /keys_existence_check", Error),
        ("latency degraded: /memory/disk/full", Latency),
        ("NullPointerException in SeatMap.render", Log),
        ("Deploy pricing 4.12.0", Change),
        ("NtpDrift", Other),
        ("PostgresWritesBlocked", Latency),
        ("UploadStalled", Latency),
        ("Attack blocked by WAF", Other),
        ("Queries blocked by policy", Other),
        ("IP address blocked", Other),
        ("Hung process is down", Absent),
        ("Server behind firewall is down", Absent),
        ("Sensor disconnected", Absent),
        ("Failover completed", Other),
        ("FailoverTestSucceeded", Other),
        ("Account suspended", Other),
        ("Smart search errors", Error),
        ("Backup full failed", Error),
        ("Data leak detected", Other),
    ] {
        assert_eq!(kind_of(title, "", "prometheus", &Labels::new()), kind, "{title}");
    }
    assert_eq!(
        kind_of("connection refused by cart", "", "loki", &Labels::new()),
        LogDownstream
    );
    for asked in [
        "failed to retrieve ads",
        "severity: error, message: could not fetch cart",
        "Unable to reach it",
    ] {
        assert_eq!(
            kind_of(asked, "", "logs", &Labels::new()),
            LogDownstream,
            "{asked}"
        );
    }
    assert_eq!(
        kind_of("failed to write the file", "", "logs", &Labels::new()),
        Log
    );
    assert_eq!(kind_of("ticket execute error", "", "logs", &Labels::new()), Log);
    assert_eq!(
        kind_of("Something odd", "p99 latency is 3 s", "x", &Labels::new()),
        Latency
    );
}
