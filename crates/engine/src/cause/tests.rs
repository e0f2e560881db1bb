//! The ranking on graphs small enough to be judged by eye.

use model::{
    CauseKind, ContextClass, DomainTag, Edge, IncidentId, Labels, Node, Severity, Time, TopologyDocument,
};
use topology::Graph;

use super::{AlertView, CauseInput, ChangeView, Entity, History, Ranking, kind_of, rank};
use crate::cause::{
    context::context,
    owner::{also_notify, owner},
};

/// `a -> b` calls, `a @ b` runs on; nodes are `kind:name` where first mentioned, plain names are services. The team of
/// `x` is `team-x`.
fn graph(text: &str) -> Graph {
    let mut document = TopologyDocument::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (from, relation, to) = match line.split_whitespace().collect::<Vec<_>>()[..] {
            [from, "->", to] => (from, "calls", to),
            [from, "@", to] => (from, "runs_on", to),
            _ => panic!("no line of a graph: {line}"),
        };
        let mut end = |word: &str| {
            let (kind, id) = word.split_once(':').unwrap_or(("service", word));
            if document.nodes.iter().all(|n| n.id != id) {
                let team = Some(format!("team-{id}").into());
                document.nodes.push(Node {
                    id: id.into(),
                    kind: kind.into(),
                    team,
                    ..Node::default()
                });
            }
            model::Text::from(id)
        };
        let (from, to) = (end(from), end(to));
        document.edges.push(Edge {
            from,
            to,
            kind: relation.into(),
        });
    }
    Graph::from_document(&document, "test")
}

/// Ranks alerts written as `severity place title [-> callee]`.
fn ranked(graph: &Graph, alerts: &str, changes: &[ChangeView<'_>], history: &History) -> Ranking {
    ranked_as(None, graph, alerts, changes, history)
}

/// The same, of an incident that history may know.
fn ranked_as(
    own: Option<IncidentId>,
    graph: &Graph,
    alerts: &str,
    changes: &[ChangeView<'_>],
    history: &History,
) -> Ranking {
    let none = Labels::new();
    let views: Vec<AlertView<'_>> = alerts
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .enumerate()
        .map(|(i, line)| {
            let (line, callee) = line
                .split_once(" -> ")
                .map_or((line, None), |(l, c)| (l, Some(c)));
            let (severity, rest) = line.split_once(' ').expect("severity first");
            let (place, title) = rest.split_once(' ').expect("then the place");
            let node = graph.find(place);
            AlertView {
                subject: node,
                host: None,
                probably: None,
                as_host: false,
                caller: None,
                callee: callee.map(|c| {
                    graph
                        .find(c)
                        .map_or_else(|| Entity::Named(c.into()), Entity::Node)
                }),
                name: place,
                written: place,
                class: title
                    .bytes()
                    .fold(7, |h: u64, b| h.wrapping_mul(31).wrapping_add(u64::from(b))),
                title,
                text: "",
                kind: kind_of(title, "", "prometheus", &none),
                severity: if severity == "critical" {
                    Severity::Critical
                } else {
                    Severity::Warning
                },
                labels: &none,
                events: 1,
                first: Time::from_secs(1_000 + 10 * i as i64),
            }
        })
        .collect();
    rank(
        &CauseInput {
            graph,
            alerts: &views,
            changes,
            named: None,
            own,
        },
        history,
    )
}

fn first(ranking: &Ranking) -> &str {
    ranking.root().map_or("", |c| c.name.as_str())
}

const SHOP: &str = "web -> book
     book -> database:main-pg
     seats -> database:main-pg
     book -> seats";

#[test]
fn neither_loudness_nor_being_first_makes_a_cause() {
    let graph = graph(SHOP);
    let ranking = ranked(
        &graph,
        "critical web CheckoutDown
         critical book HighErrorRate
         critical seats HighErrorRate
         warning main-pg Connections at 97 % of limit",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "main-pg");
    assert_eq!(context(&ranking, &graph).class, ContextClass::Cascading);
    let page = owner(&ranking, &graph, "on-call");
    assert_eq!(page.team, "team-main-pg");
    assert_eq!(
        also_notify(&ranking, &graph, &page),
        ["team-book", "team-seats", "team-web"]
    );
    let score: f64 = ranking.candidates.iter().map(|c| c.score).sum();
    assert!(score <= 1.0 + 1e-9, "scores are probabilities: {score}");
    assert!(
        ranking.candidates.iter().all(|c| !c.because.is_empty()),
        "each with its reasons"
    );
}

#[test]
fn a_silent_root_is_found_below_all_that_suffer() {
    let graph = graph(
        "tasks -> database:user-store
         notes -> database:user-store
         sharing -> database:user-store
         sharing -> external:cdn",
    );
    let ranking = ranked(
        &graph,
        "critical tasks HighErrorRate
         critical notes HighErrorRate
         critical sharing HighErrorRate",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "user-store");
    assert_eq!(ranking.candidates[0].kind, CauseKind::Silent);
}

#[test]
fn a_provider_that_own_services_name_is_a_third_party() {
    let graph = graph(
        "checkout -> external:cardnet
         refunds -> external:cardnet
         checkout -> database:shop-db",
    );
    let ranking = ranked(
        &graph,
        "critical checkout PaymentsFailing -> cardnet
         critical refunds RefundsFailing -> cardnet",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "cardnet");
    assert_eq!(context(&ranking, &graph).class, ContextClass::ThirdParty);
}

#[test]
fn a_machine_takes_its_residents_and_their_callers_along() {
    let graph = graph(
        "front -> alpha
         alpha @ host:rack-7
         beta @ host:rack-7
         gamma @ host:rack-7
         front @ host:rack-8",
    );
    let ranking = ranked(
        &graph,
        "critical alpha InstanceDown
         critical beta InstanceDown
         critical gamma InstanceDown
         critical front HighErrorRate",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "rack-7");
    assert_eq!(context(&ranking, &graph).class, ContextClass::Systemic);
}

#[test]
fn a_machine_that_says_what_it_ran_out_of_comes_before_what_it_takes_along() {
    let graph = graph(
        "book -> database:main-pg
         main-pg @ host:db-1",
    );
    let with = |machine: &str| {
        let alerts = format!(
            "{machine}
             critical main-pg PostgresNotWritable
             critical book HighErrorRate"
        );
        ranked(&graph, &alerts, &[], &History::default())
    };
    for machine in [
        "warning db-1 DiskFull",
        "critical db-1 HostMemoryHigh",
        "critical db-1 HostCPUHigh",
    ] {
        let ranking = with(machine);
        assert_eq!(first(&ranking), "db-1", "{machine} {:#?}", ranking.candidates);
    }
    // Who calls the database runs elsewhere; what it says of the call is said of the database's machine.
    let apart = self::graph(
        "book -> database:main-pg
         main-pg @ host:db-1
         book @ host:app-1",
    );
    let ranking = ranked(
        &apart,
        "warning db-1 DiskFull
         critical main-pg PostgresWritesBlocked
         critical book QueriesFailing -> main-pg",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "db-1", "{:#?}", ranking.candidates);
    // That it works hard may be what the database does to it.
    assert_eq!(first(&with("warning db-1 HostCPUHigh")), "main-pg");
}

#[test]
fn missing_requests_point_at_who_should_send_them() {
    let graph = graph("proxy -> cart\n cart -> database:store");
    let ranking = ranked(
        &graph,
        "critical cart NoRequestsReceived
         critical proxy PodCrashLooping",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "proxy");
}

#[test]
fn what_was_changed_right_before_is_suspected_and_an_older_change_less() {
    let graph = graph(SHOP);
    let alerts = "critical web HighErrorRate\n critical book HighErrorRate";
    let change = |id, name: &str, before_s: i64| ChangeView {
        id,
        title: "Deploy",
        subject: graph.find(name),
        name: "",
        at: Time::from_secs(1_000 - before_s),
    };
    let plain = ranked(&graph, alerts, &[], &History::default());
    let changed = ranked(
        &graph,
        alerts,
        &[change("c-1", "seats", 120)],
        &History::default(),
    );
    assert_eq!(first(&changed), "seats");
    assert_ne!(first(&plain), "seats");
    assert_eq!(changed.candidates[1].name, "c-1");
    assert_eq!(changed.candidates[1].kind, CauseKind::Change);
    assert!(changed.candidates[1].score < changed.candidates[0].score);
    let old = ranked(
        &graph,
        alerts,
        &[change("c-1", "seats", 5 * 3600)],
        &History::default(),
    );
    assert_eq!(first(&old), first(&plain));
}

fn incident(number: u128) -> IncidentId {
    IncidentId {
        tag: DomainTag(1),
        hash: number.into(),
    }
}

#[test]
fn what_is_always_there_explains_nothing() {
    let graph = graph("web -> pay\n web -> thumbs");
    let mut history = History::default();
    for i in 0..30 {
        let noise = ranked(&graph, "warning thumbs CPUThrottlingHigh", &[], &history);
        history.learn(incident(i), Time::from_secs(0), &noise);
    }
    let ranking = ranked(
        &graph,
        "warning thumbs CPUThrottlingHigh
         warning pay MemoryNearLimit
         critical web HighErrorRate",
        &[],
        &history,
    );
    assert_eq!(first(&ranking), "pay");
}

#[test]
fn a_place_that_always_alerts_is_as_good_as_silent() {
    let graph = graph("web -> book\n web -> seats");
    let mut history = History::default();
    let odds = |history: &History| {
        let alerts = "critical web HighErrorRate\n warning seats HighRequestLatency";
        let ranking = ranked(&graph, alerts, &[], history);
        let of = |name: &str| {
            ranking
                .candidates
                .iter()
                .find(|c| c.name == name)
                .unwrap()
                .clone()
        };
        let usual = of("seats").because.iter().any(|e| e.text.contains("are usual"));
        (of("seats").score / of("book").score, usual)
    };
    let (at_first, usual) = odds(&history);
    assert!(at_first > 2.0 && !usual, "{at_first}");
    for i in 0..30 {
        let noise = ranked(&graph, "warning seats HighRequestLatency", &[], &history);
        history.learn(incident(i), Time::from_secs(0), &noise);
    }
    let (by_now, usual) = odds(&history);
    assert!(by_now < 1.1 && usual, "{by_now}");
}

#[test]
fn one_more_of_what_always_stands_out_says_less() {
    let graph = graph("web -> book\n web -> seats");
    let mut history = History::default();
    for i in 0..30 {
        let alerts = format!("warning seats Core{i}CpuHigh");
        history.learn(
            incident(i),
            Time::from_secs(0),
            &ranked(&graph, &alerts, &[], &history),
        );
    }
    // Both were never seen; of book nothing of the kind was.
    let alerts = "warning seats Core77CpuHigh\n warning book Core77CpuHigh";
    assert_eq!(first(&ranked(&graph, alerts, &[], &history)), "book");
}

#[test]
fn what_an_incident_taught_says_nothing_about_itself() {
    let graph = graph(SHOP);
    let alerts = "critical web HighErrorRate\n warning main-pg MemoryNearLimit";
    let mut history = History::default();
    for i in 0..5 {
        let noise = ranked(&graph, "warning book HighRequestLatency", &[], &history);
        history.learn(incident(i), Time::from_secs(0), &noise);
    }
    let scores = |history: &History, own| {
        let ranking = ranked_as(own, &graph, alerts, &[], history);
        ranking
            .candidates
            .iter()
            .map(|c| (c.name.clone(), (c.score * 1e9) as u64))
            .collect::<Vec<_>>()
    };
    let before = scores(&history, None);
    history.learn(
        incident(9),
        Time::from_secs(0),
        &ranked(&graph, alerts, &[], &history),
    );
    assert_eq!(scores(&history, Some(incident(9))), before);
    assert_ne!(scores(&history, None), before);
}

#[test]
fn what_falls_with_its_neighbours_is_no_root() {
    let graph = graph(
        "database:main-pg @ host:host-1
         book @ host:host-1
         seats @ host:host-1
         book -> main-pg
         seats -> main-pg",
    );
    let alerts = "critical main-pg InstanceDown\n critical book InstanceDown\n critical seats InstanceDown";
    assert_eq!(first(&ranked(&graph, alerts, &[], &History::default())), "host-1");
    let alone = "critical main-pg InstanceDown\n critical book HighErrorRate\n critical seats HighErrorRate";
    assert_eq!(first(&ranked(&graph, alone, &[], &History::default())), "main-pg");
}

#[test]
fn confirmed_causes_count_once_they_have_paid() {
    let graph = graph(SHOP);
    let alerts = "critical web HighErrorRate\n critical book HighRequestLatency";
    let mut history = History::default();
    let before = ranked(&graph, alerts, &[], &history);
    assert_ne!(first(&before), "seats");
    for i in 0..12 {
        let ranking = ranked(&graph, alerts, &[], &history);
        history.learn(incident(i), Time::from_secs(0), &ranking);
        history.confirm(incident(i), "seats");
    }
    let after = ranked(&graph, alerts, &[], &history);
    assert_eq!(first(&after), "seats");
    assert!(
        after.candidates[0]
            .because
            .iter()
            .any(|e| e.text.contains("confirmed as the cause"))
    );
    assert_eq!(history.similar(&after, 3, 0.5).len(), 3);
}

#[test]
fn who_was_foretold_as_often_as_confirmed_is_not_made_more_of() {
    let graph = graph(SHOP);
    let alerts = "critical book KubePodCrashLooping
                  critical seats KubePodCrashLooping";
    // Both are as likely by their alerts.
    let underrated = |causes: [&str; 2]| {
        let mut history = History::default();
        for n in 0..12 {
            let ranking = ranked(&graph, alerts, &[], &history);
            history.learn(incident(n), Time::from_secs(n as i64), &ranking);
            history.confirm(incident(n), causes[n as usize % 2]);
        }
        let ranking = ranked(&graph, alerts, &[], &history);
        let of = |name| history.underrated(&ranking.system, name);
        (of("book"), of("seats"), first(&ranking).to_owned())
    };
    let (book, seats, first) = underrated(["seats", "seats"]);
    assert!(seats - book > 1.0, "{book} {seats}");
    assert_eq!(first, "seats");
    let (book, seats, _) = underrated(["book", "seats"]);
    assert!((seats - book).abs() < 0.1, "{book} {seats}");
}

#[test]
fn a_confirmation_may_come_before_the_end() {
    let graph = graph(SHOP);
    let mut history = History::default();
    history.confirm(incident(1), "seats");
    let ranking = ranked(&graph, "critical web HighErrorRate", &[], &history);
    history.learn(incident(1), Time::from_secs(0), &ranking);
    assert_eq!(
        history.similar(&ranking, 1, 0.5)[0].0.cause.as_deref(),
        Some("seats")
    );
}

#[test]
fn a_history_comes_back_from_its_rows() {
    let graph = graph(SHOP);
    let alerts = "critical web HighErrorRate\n warning main-pg MemoryNearLimit";
    let mut history = History::default();
    for i in 0..5 {
        let ranking = ranked(&graph, alerts, &[], &history);
        history.learn(incident(i), Time::from_secs(i as i64), &ranking);
        history.confirm(incident(i), "book");
    }
    let mut back = History::default();
    for (_, row) in history.dirty_rows() {
        back.restore_row(&row.expect("nothing was forgotten"))
            .expect("own rows read back");
    }
    assert!(history.dirty_rows().is_empty(), "rows are given once");
    let (a, b) = (
        ranked(&graph, alerts, &[], &history),
        ranked(&graph, alerts, &[], &back),
    );
    let scores = |r: &Ranking| {
        r.candidates
            .iter()
            .map(|c| (c.name.clone(), c.score.to_bits()))
            .collect::<Vec<_>>()
    };
    assert_eq!(scores(&a), scores(&b));
}

#[test]
fn the_order_of_alerts_does_not_matter() {
    let graph = graph(SHOP);
    let lines = [
        "critical web HighErrorRate",
        "critical seats HighErrorRate -> main-pg",
        "warning main-pg MemoryNearLimit",
    ];
    let scores = |text: &str| {
        let ranking = ranked(&graph, text, &[], &History::default());
        ranking
            .candidates
            .iter()
            .map(|c| (c.name.clone(), c.score.to_bits()))
            .collect::<Vec<_>>()
    };
    let forwards = scores(&lines.join("\n"));
    let backwards = scores(&lines.iter().rev().copied().collect::<Vec<_>>().join("\n"));
    assert_eq!(forwards, backwards);
}

/// An alert about what no topology knows.
fn about<'a>(name: &'a str, written: &'a str, labels: &'a Labels, first_s: i64) -> AlertView<'a> {
    AlertView {
        subject: None,
        host: None,
        probably: None,
        as_host: false,
        caller: None,
        callee: None,
        name,
        written,
        class: 1,
        title: "Something",
        text: "",
        kind: kind_of("Something", "", "x", labels),
        severity: Severity::Critical,
        labels,
        events: 1,
        first: Time::from_secs(first_s),
    }
}

/// Ranks such alerts, with the cause named so far.
fn rank_unknown(alerts: &[AlertView<'_>], named: Option<&str>) -> Ranking {
    let input = CauseInput {
        graph: &Graph::default(),
        alerts,
        changes: &[],
        named,
        own: None,
    };
    rank(&input, &History::default())
}

fn names(ranking: &Ranking) -> Vec<&str> {
    ranking.candidates.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn an_unknown_thing_goes_by_the_name_that_its_alerts_bear() {
    let none = Labels::new();
    let one = [about("shop/checkout", "Checkout", &none, 0)];
    let ranking = rank_unknown(&one, None);
    assert_eq!(names(&ranking), ["Checkout"]);
    assert!(
        ranking.candidates[0].because[0]
            .text
            .contains("if Checkout is the cause")
    );
    // Two that would bear one name are told apart by the long one.
    let two = [
        about("shop/checkout", "checkout", &none, 0),
        about("test/checkout", "checkout", &none, 0),
        about("shop/cart", "Cart", &none, 0),
    ];
    assert_eq!(
        names(&rank_unknown(&two, None)),
        ["Cart", "shop/checkout", "test/checkout"]
    );
}

#[test]
fn a_cause_is_confirmed_by_the_name_that_its_alerts_bear() {
    let none = Labels::new();
    let two = [
        about("shop/checkout", "Checkout", &none, 0),
        about("shop/cart", "Cart", &none, 0),
    ];
    let ranking = rank_unknown(&two, None);
    let mut history = History::default();
    history.learn(incident(1), Time::from_secs(0), &ranking);
    history.confirm(incident(1), "Checkout");
    let cause = |history: &History| history.similar(&ranking, 1, 0.5)[0].0.cause.clone();
    assert_eq!(cause(&history).as_deref(), Some("shop/checkout"));
    history.confirm(incident(1), "nowhere-else");
    assert_eq!(cause(&history).as_deref(), Some("nowhere-else"));
}

#[test]
fn what_is_called_and_in_no_topology_is_a_cause_with_a_reason() {
    let graph = graph("web -> book");
    let ranking = ranked(
        &graph,
        "critical web HighErrorRate -> vault
         critical book HighErrorRate -> vault",
        &[],
        &History::default(),
    );
    assert_eq!(first(&ranking), "vault");
    let root = &ranking.candidates[0];
    assert_eq!(root.kind, CauseKind::Silent);
    let said = |part: &str| root.because.iter().any(|e| e.text.contains(part));
    assert!(
        said("on calls from web to vault") && said("but alerts name it"),
        "{root:?}"
    );
}

#[test]
fn what_comes_far_more_often_than_the_rest_weighs_more_from_the_first_day() {
    let none = Labels::new();
    let named = |name, events| AlertView {
        events,
        ..about(name, name, &none, 0)
    };
    let flood = [named("a", 1), named("b", 1), named("c", 20)];
    let ranking = rank_unknown(&flood, None);
    assert_eq!(first(&ranking), "c");
    let said = &ranking.candidates[0].because[0].text;
    assert!(said.contains("for 20 events 3.0 times as much"), "{said}");
    // Where all come often, none does.
    let all = [named("a", 20), named("b", 20), named("c", 20)];
    let ranking = rank_unknown(&all, None);
    assert_eq!(names(&ranking), ["a", "b", "c"]);
    assert!(!ranking.candidates[0].because[0].text.contains("times as much"));
}

#[test]
fn both_ends_of_a_call_are_one_witness() {
    let none = Labels::new();
    let seen_at = |place| AlertView {
        caller: Some(Entity::Named("web".into())),
        callee: Some(Entity::Named("book".into())),
        kind: kind_of("SlowCalls latency", "", "x", &none),
        ..about(place, place, &none, 0)
    };
    let weight = |alerts: &[AlertView<'_>]| -> f64 {
        let ranking = rank_unknown(alerts, None);
        assert_eq!(first(&ranking), "book");
        ranking.sites.iter().map(|site| site.weight).sum()
    };
    let (once, twice) = (
        weight(&[seen_at("web")]),
        weight(&[seen_at("web"), seen_at("book")]),
    );
    assert!((once - twice).abs() < 1e-9, "{once} {twice}");
}

#[test]
fn who_was_named_stays_so_among_equals() {
    let none = Labels::new();
    let three = [
        about("c", "c", &none, 0),
        about("b", "b", &none, 1),
        about("a", "a", &none, 2),
    ];
    assert_eq!(names(&rank_unknown(&three, None)), ["a", "b", "c"]);
    let ranking = rank_unknown(&three, Some("c"));
    assert_eq!(names(&ranking), ["c", "a", "b"]);
    let kept = |r: &Ranking| {
        r.candidates[0]
            .because
            .iter()
            .any(|e| e.text.contains("was named before"))
    };
    assert!(kept(&ranking));
    // Nothing is said where it leads anyway, and it goes where another is ahead.
    assert!(!kept(&rank_unknown(&three, Some("a"))));
    let mut louder = three.to_vec();
    louder.push(AlertView {
        class: 2,
        ..about("b", "b", &none, 3)
    });
    assert_eq!(first(&rank_unknown(&louder, Some("c"))), "b");
}

/// Whoever explains the same as the first is a poor second guess beside one that explains what the first leaves.
#[test]
fn the_second_place_goes_to_what_the_first_leaves_unexplained() {
    let graph = graph(
        "front -> api
         api -> db
         front -> mail",
    );
    let alerts = "critical db DiskFull
                  critical api ErrorRateHigh
                  critical api LatencyHigh
                  critical front LatencyHigh
                  warning mail MemoryHigh";
    let ranking = ranked(&graph, alerts, &[], &History::default());
    assert_eq!(names(&ranking)[..3], ["db", "mail", "api"]);
    assert!(ranking.candidates[1].score < ranking.candidates[2].score);
}

#[test]
fn alerts_that_name_nothing_have_no_cause() {
    let graph = graph(SHOP);
    let none = Labels::new();
    let view = about("", "", &none, 0);
    let ranking = rank(
        &CauseInput {
            graph: &graph,
            alerts: &[view],
            changes: &[],
            named: None,
            own: None,
        },
        &History::default(),
    );
    assert!(ranking.root().is_none());
    assert_eq!(owner(&ranking, &graph, "on-call").team, "on-call");
    assert_eq!(context(&ranking, &graph).class, ContextClass::Unclear);
}
