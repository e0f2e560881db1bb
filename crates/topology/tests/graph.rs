//! What a small graph says about names, nearness and owners.

use model::{Edge, Labels, Node, TopologyChange, TopologyDocument};
use topology::{Direction, Graph, NodeId, Resolution, Resolved};

/// A graph from lines: `id: kind @team =alias` for a node, `a -> b` (calls) or `a -relation-> b` for an edge.
fn graph(text: &str) -> Graph {
    Graph::from_document(&document(text), "v1")
}

fn document(text: &str) -> TopologyDocument {
    let mut out = TopologyDocument::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some((from, to)) = line.split_once("-> ") {
            let (from, kind) = from
                .trim_end()
                .split_once(" -")
                .unwrap_or((from.trim_end(), "calls"));
            out.edges.push(Edge {
                from: from.trim().into(),
                to: to.trim().into(),
                kind: kind.into(),
            });
            continue;
        }
        let (id, rest) = line.rsplit_once(": ").expect("a node line has a colon");
        let mut node = Node {
            id: id.into(),
            ..Node::default()
        };
        for word in rest.split_whitespace() {
            match word.split_at(1) {
                ("@", team) => node.team = Some(team.into()),
                ("=", alias) => node.aliases.push(alias.into()),
                _ => node.kind = word.into(),
            }
        }
        out.nodes.push(node);
    }
    out
}

/// Resolves names written as `service=x host=y pod=z`; other words are entities.
fn resolve(graph: &Graph, names: &str) -> Resolved {
    let (mut service, mut host, mut entities) = (None, None, Labels::new());
    for pair in names.split_whitespace() {
        match pair.split_once('=').expect("a pair has an equals sign") {
            ("service", name) => service = Some(name),
            ("host", name) => host = Some(name),
            (kind, name) => entities.set(kind, name),
        }
    }
    graph.resolve_names(service, host, &entities, &Labels::new())
}

fn ids(graph: &Graph, nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|&n| graph.id(n).to_string()).collect()
}

/// The id of the subject, or `?`.
fn subject(graph: &Graph, names: &str) -> String {
    resolve(graph, names)
        .subject
        .map_or("?".into(), |n| graph.id(n).to_string())
}

#[test]
fn one_machine_in_many_spellings() {
    let g = graph(
        "db07: host @dba
         print-srv: host
         web.a.example.com: host
         web.b.example.com: host
         10.0.0.7: host",
    );
    for (said, meant) in [
        ("host=db07", "db07"),
        ("host=DB07.corp.example.com", "db07"),
        ("host=db07.corp.example.com:9100", "db07"),
        ("host=http://db07:9100/metrics", "db07"),
        ("host=PRINT-SRV.corp.example.com", "print-srv"),
        ("host=db071", "?"),
        ("host=10.0.0.7:9100", "10.0.0.7"),
        ("host=10.0.0.70", "?"),
        ("host=10.0.0", "?"),
        ("host=web.a.example.com", "web.a.example.com"),
        ("host=WEB.b.example.com:443", "web.b.example.com"),
        ("host=web.c.example.com", "?"),
        ("host=web", "?"),
    ] {
        assert_eq!(subject(&g, said), meant, "{said}");
    }
    let said = resolve(&g, "host=web").ambiguous;
    assert_eq!(ids(&g, &said[0].1), ["web.a.example.com", "web.b.example.com"]);
}

#[test]
fn a_name_and_its_namespace() {
    let g = graph(
        "shop/checkout: service @pay
         shop/checkout-db: database @dba
         blog/comments: service
         west/bank/ledger: service
         east/bank/ledger: service
         mail: service",
    );
    for (said, meant) in [
        ("service=checkout namespace=shop", "shop/checkout"),
        ("service=Checkout namespace=Shop", "shop/checkout"),
        ("service=checkout", "shop/checkout"),
        ("service=checkout namespace=blog", "?"),
        ("service=checkout.shop.svc.cluster.local:8080", "shop/checkout"),
        ("service=checkout.shop", "shop/checkout"),
        ("service=checkout.blog.svc", "?"),
        ("service=shop/checkout", "shop/checkout"),
        ("service=blog/checkout", "?"),
        ("service=ledger namespace=bank", "?"),
        ("service=ledger namespace=bank cluster=east", "east/bank/ledger"),
        ("service=ledger namespace=bank cluster=west", "west/bank/ledger"),
        ("service=mail namespace=shop", "mail"),
        ("pod=checkout-7d9c8b6f5-x2k4p namespace=shop", "shop/checkout"),
        ("pod=checkout-db-0 namespace=shop", "shop/checkout-db"),
    ] {
        assert_eq!(subject(&g, said), meant, "{said}");
    }
    assert!(matches!(g.name("ledger"), Resolution::Ambiguous(nodes) if nodes.len() == 2));
}

#[test]
fn pods_are_their_workload_and_nothing_shorter() {
    let g = graph(
        "checkout: service
         search: service
         node-agent: service",
    );
    for (said, meant) in [
        ("pod=checkout-7d9c8b6f5-x2k4p", "checkout"),
        ("pod=checkout-5c6f7d8b9-hm2v7", "checkout"),
        ("pod=node-agent-x2k4p", "node-agent"),
        ("pod=search-0", "search"),
        ("pod=search-indexer-0", "?"),
        ("service=search-0", "?"),
        ("deployment=checkout", "checkout"),
    ] {
        assert_eq!(subject(&g, said), meant, "{said}");
    }
}

#[test]
fn a_part_of_a_name_where_nothing_speaks_against_it() {
    let g = graph(
        "checkout: service
         shop/ledger: service
         payments: service
         db: database
         till: service
         till-staging: service
         video: service
         blog/api: service",
    );
    for (said, meant) in [
        // Words for what is live, before or behind.
        ("service=checkout-prod", "checkout"),
        ("service=CheckoutService-Production", "checkout"),
        ("service=prod_checkout", "checkout"),
        ("service=ledger-prd", "shop/ledger"),
        ("pod=checkout-prod-7d9c8b6f5-x2k4p", "checkout"),
        // Another environment's is not the live one's.
        ("service=checkout-staging", "?"),
        ("service=checkout-dev", "?"),
        // The graph tells environments of this one apart.
        ("service=till-prod", "?"),
        ("service=till-staging", "till-staging"),
        ("service=video-live", "?"),
        ("service=ledger-prod namespace=blog", "?"),
        ("host=checkout-prod", "?"),
        // Compose: project, service, number.
        ("service=market_checkout_1", "checkout"),
        ("service=my_market_ledger_12", "shop/ledger"),
        ("container=market-checkout-1", "checkout"),
        ("service=market-checkout-1", "?"),
        ("service=market_checkout", "?"),
        // What every project has, and a project that is a thing itself.
        ("service=market_db_1", "?"),
        ("service=payments_checkout_1", "?"),
        // A path tells of all that answers it.
        ("instance=https://shop.example.com/checkout", "?"),
        // A job names the service where nothing else names anything.
        ("job=checkout", "checkout"),
        ("job=node-exporter", "?"),
        ("job=checkout service=forum", "?"),
    ] {
        assert_eq!(subject(&g, said), meant, "{said}");
    }
    let perhaps = |name: &str| g.perhaps(name).map(|node| g.id(node).to_string());
    for (name, meant) in [
        ("checkout-staging", Some("checkout")),
        ("market-checkout-1", Some("checkout")),
        ("https://shop.example.com/checkout?x=1", Some("checkout")),
        ("https://shop.example.com", None),
        ("forum-staging", None),
        ("market-db-1", None),
    ] {
        assert_eq!(perhaps(name).as_deref(), meant, "{name}");
    }
}

#[test]
fn who_measures_is_not_what_broke() {
    let g = graph("sso-worker: service\n kube-state-metrics: service");
    let measured = "service=kube-state-metrics host=10.42.0.38:8080 pod=sso-worker-66c8748b75-kmcjx";
    assert_eq!(subject(&g, measured), "sso-worker");
    assert_eq!(
        subject(&g, "service=kube-state-metrics host=10.42.0.38:8080"),
        "kube-state-metrics"
    );
    let unknown = resolve(&Graph::empty(), measured);
    assert_eq!(unknown.name, "sso-worker");
}

#[test]
fn copies_stand_for_their_service_and_keep_their_place() {
    let g = graph(
        "kafka: queue @stream
         kafka-1: instance
         kafka-2: instance
         rack-4: host @infra
         mail: service
         kafka -composed_of-> kafka-1
         kafka -composed_of-> kafka-2
         kafka-2 -runs_on-> rack-4
         mail -> kafka",
    );
    let said = resolve(&g, "service=kafka host=kafka-2");
    let name = |n: Option<NodeId>| n.map(|n| g.id(n).as_str());
    assert_eq!(name(said.subject), Some("kafka"));
    assert_eq!(name(said.instance), Some("kafka-2"));
    assert_eq!(name(said.host), Some("rack-4"));
    let said = resolve(&g, "caller=mail callee=kafka-1");
    assert_eq!(
        (name(said.caller), name(said.callee)),
        (Some("mail"), Some("kafka"))
    );
    assert_eq!(name(said.subject), Some("kafka"));
    assert_eq!(
        ids(&g, g.neighbours(g.find("kafka-1").unwrap())),
        ["mail", "rack-4"]
    );
    let owner = g.owner(g.find("kafka-2").unwrap()).unwrap();
    assert_eq!((owner.team.as_str(), owner.hops), ("stream", 1));
}

#[test]
fn an_unknown_service_is_not_its_host() {
    let g = graph("rack-12: host\n forum: service");
    let said = resolve(&g, "service=image-resizer host=rack-12.example.com");
    assert_eq!(said.subject, None);
    assert_eq!(said.host, g.find("rack-12"));
    assert_eq!(said.name, "image-resizer");
    assert_eq!(said.unresolved, [("service".into(), "image-resizer".into())]);
}

#[test]
fn names_that_a_tracer_gives_one_service_are_one_thing() {
    let g = graph(
        "search_AWS::ECS::Fargate: service
         search_client: client
         resize_AWS::Lambda: lambda
         resize_AWS::Lambda::Function: lambda
         front: client
         front-door: service
         AWS::StepFunctions::StateMachine: service
         se-pictur-1.elb.example.com_remote: external
         picturestore: service
         amazon.com_remote: external
         orders.us-west-2.rds.amazonaws.com_Database::SQL: database
         search_client -> search_AWS::ECS::Fargate
         resize_AWS::Lambda -> resize_AWS::Lambda::Function
         front -> front-door",
    );
    let thing = |id: &str| g.id(g.thing(g.find(id).unwrap())).to_string();
    assert_eq!(thing("search_client"), "search_AWS::ECS::Fargate");
    assert_eq!(thing("resize_AWS::Lambda"), "resize_AWS::Lambda::Function");
    assert_eq!(thing("front"), "front-door");
    assert_eq!(
        thing("AWS::StepFunctions::StateMachine"),
        "AWS::StepFunctions::StateMachine"
    );
    assert_eq!(subject(&g, "service=search"), "search_AWS::ECS::Fargate");
    // Likely is not certain: this one is said, not assumed.
    // Where somebody is hosted is no name of his.
    let [suggestion] = g.alias_suggestions() else {
        panic!("{:?}", g.alias_suggestions());
    };
    assert_eq!(g.id(suggestion.service), "picturestore");
    assert_eq!(suggestion.token, "pictur");
    assert_ne!(g.thing(suggestion.external), suggestion.service);
}

#[test]
fn declared_aliases_and_arns() {
    let g = graph(
        "orders: database =orders-primary =pg-orders.example.com
         pay: lambda
         arn:aws:sqs:eu-west-1:000000000000:invoices: queue",
    );
    for (said, meant) in [
        ("service=orders-primary", "orders"),
        ("host=PG-orders.example.com:5432", "orders"),
        (
            "function=arn:aws:lambda:eu-west-1:000000000000:function:pay",
            "pay",
        ),
        ("queue=invoices", "arn:aws:sqs:eu-west-1:000000000000:invoices"),
    ] {
        assert_eq!(subject(&g, said), meant, "{said}");
    }
}

#[test]
fn nearness_ignores_direction_and_survives_circles() {
    let g = graph(
        "a: service
         b: service
         c: service
         db: database @dba
         alone: host
         a -> b
         b -> c
         c -> a
         c -> db",
    );
    let n = |id: &str| g.find(id).unwrap();
    assert_eq!(g.component(n("a")), g.component(n("db")));
    assert_eq!((g.component_size(n("db")), g.component_size(n("alone"))), (4, 1));
    assert_eq!(g.component(n("alone")), n("alone"));
    assert_eq!(g.distance(n("a"), n("db"), 8), Some(2));
    assert_eq!(g.distance(n("a"), n("alone"), 8), None);
    assert_eq!(ids(&g, &g.ring(n("a"), Direction::Down, 2)), ["a", "b", "c"]);
    assert_eq!(
        ids(&g, &g.ring(n("a"), Direction::Down, 3)),
        ["a", "b", "c", "db"]
    );
    assert!(g.near(n("a")).is_none(), "a small system is one neighbourhood");
    let all = g.dependents(n("db"), 10);
    assert_eq!(all.found, [(n("c"), 1), (n("b"), 2), (n("a"), 3)]);
    let some = g.dependents(n("db"), 2);
    assert_eq!((some.found.len(), some.more), (2, true));
}

#[test]
fn a_hub_is_reached_but_not_passed() {
    let mut text = String::from("dns: service\n");
    for i in 0..60 {
        text += &format!("s{i:02}: service\n t{i:02}: service\n s{i:02} -> dns\n t{i:02} -> s{i:02}\n");
    }
    let g = graph(&text);
    let n = |id: &str| g.find(id).unwrap();
    assert!(g.is_hub(n("dns")) && !g.is_hub(n("s00")));
    assert_eq!(g.component_size(n("s00")), 121);
    assert_eq!(
        ids(&g, &g.ring(n("t00"), Direction::Any, 4)),
        ["dns", "s00", "t00"]
    );
    assert_eq!(g.distance(n("t00"), n("t01"), 9), None);
    assert_eq!(ids(&g, g.near(n("t00")).unwrap()), ["dns", "s00", "t00"]);
    assert_eq!(g.ball(n("dns")).unwrap().len(), 61, "from a hub it is one step");
}

#[test]
fn a_change_moves_the_graph_on() {
    let mut g = graph("web: service\n api: service\n web -> api");
    let mut change = TopologyChange {
        at: model::Time::from_secs(5),
        upsert_nodes: vec![Node {
            id: "db".into(),
            kind: "database".into(),
            team: Some("dba".into()),
            ..Node::default()
        }],
        remove_nodes: vec![],
        upsert_edges: vec![Edge {
            from: "api".into(),
            to: "db".into(),
            kind: "calls".into(),
        }],
        remove_edges: vec![],
    };
    let mut twin = g.clone();
    g.apply(&change);
    twin.apply(&change);
    assert_eq!(g.version(), twin.version());
    assert_ne!(g.version(), "v1");
    assert_eq!(
        g.distance(g.find("web").unwrap(), g.find("db").unwrap(), 4),
        Some(2)
    );
    change.upsert_nodes.clear();
    change.upsert_edges.clear();
    change.remove_nodes.push("api".into());
    g.apply(&change);
    assert_eq!(g.component_size(g.find("db").unwrap()), 1);
    assert_eq!(g.find("api"), None);
    assert!(g.document().edges.is_empty());
}

#[test]
fn an_edge_to_an_unlisted_node_brings_it_in() {
    let g = graph("web: service\n web -> ghost");
    assert_eq!(g.len(), 2);
    assert_eq!(subject(&g, "service=ghost"), "ghost");
}

/// A graph and its document with nodes and edges in another order give the same answers; a name that resolves to a
/// node resolves to it again by the node's own id.
#[test]
fn order_of_the_document_does_not_matter_and_resolution_is_stable() {
    let mut dice = Dice(7);
    for _ in 0..40 {
        let mut document = TopologyDocument::default();
        let n = 3 + dice.below(20);
        for i in 0..n {
            let kind = ["service", "host", "instance", "external", "client"][dice.below(5)];
            let id = match dice.below(5) {
                0 => format!("ns{}/svc{i}", dice.below(3)),
                1 => format!("host{}.d{}.example.com", dice.below(5), dice.below(3)),
                2 => format!("svc{}_AWS::ECS::Fargate", dice.below(6)),
                3 => format!("svc{}_client", dice.below(6)),
                _ => format!("svc{}", dice.below(9)),
            };
            if document.nodes.iter().all(|n| n.id != id) {
                document.nodes.push(Node {
                    id: id.into(),
                    kind: kind.into(),
                    ..Node::default()
                });
            }
        }
        for _ in 0..2 * n {
            let end = |dice: &mut Dice| document.nodes[dice.below(document.nodes.len())].id.clone();
            let (from, to) = (end(&mut dice), end(&mut dice));
            let kind = ["calls", "composed_of", "runs_on", "registers_with"][dice.below(4)];
            document.edges.push(Edge {
                from,
                to,
                kind: kind.into(),
            });
        }
        let g = Graph::from_document(&document, "x");
        let mut other = document.clone();
        for i in (1..other.nodes.len()).rev() {
            other.nodes.swap(i, dice.below(i + 1));
        }
        for i in (1..other.edges.len()).rev() {
            other.edges.swap(i, dice.below(i + 1));
        }
        let h = Graph::from_document(&other, "x");
        for node in g.node_ids() {
            assert_eq!(g.id(node), h.id(node));
            assert_eq!((g.service(node), g.thing(node)), (h.service(node), h.thing(node)));
            assert_eq!(g.thing(g.thing(node)), g.thing(node));
            assert_eq!(g.thing(g.service(node)), g.thing(node));
            assert_eq!(g.component(node), h.component(node));
            assert_eq!(g.neighbours(node), h.neighbours(node));
            assert_eq!(g.rings(node, Direction::Any, 3), h.rings(node, Direction::Any, 3));
            assert_eq!(g.dependents(node, 5), h.dependents(node, 5));
            assert_eq!(g.name(g.id(node)), Resolution::Known(node), "{}", g.id(node));
        }
        for said in [
            "svc1",
            "SVC2",
            "host1",
            "host2.d0.example.com:80",
            "svc3_client",
            "ns1/svc4",
            "svc5.ns0",
        ] {
            assert_eq!(g.name(said), h.name(said));
            if let Some(node) = g.name(said).known() {
                assert_eq!(g.name(g.id(node)).known(), Some(node));
            }
        }
    }
}

/// A small linear congruential generator, so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}
