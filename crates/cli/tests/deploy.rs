//! What `deploy/` ships fits the command that is built here: manifests, container, Compose and alerting rules are read,
//! and their arguments, variables, configuration, probes and metrics are those that exist.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The manifests by kind and name.
fn manifests() -> BTreeMap<(String, String), Value> {
    let kustomization = &documents("deploy/kubernetes/kustomization.yaml")[0];
    let listed: BTreeSet<_> = strings(&kustomization["resources"]).into_iter().collect();
    let there: BTreeSet<String> = fs::read_dir(root().join("deploy/kubernetes"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "kustomization.yaml")
        .collect();
    assert_eq!(listed, there, "kustomization.yaml lists what there is");
    let documents = there
        .iter()
        .flat_map(|name| documents(&format!("deploy/kubernetes/{name}")));
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    documents
        .map(|one| ((name(&one["kind"]), name(&one["metadata"]["name"])), one))
        .collect()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn of<'a>(manifests: &'a BTreeMap<(String, String), Value>, kind: &str, name: &str) -> &'a Value {
    manifests
        .get(&(kind.to_owned(), name.to_owned()))
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

const WORKLOADS: [(&str, &str); 2] = [
    ("Deployment", "stormfold-ingest"),
    ("StatefulSet", "stormfold-correlate"),
];

fn stormfold(args: &[String], variables: &BTreeMap<String, String>, dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stormfold"))
        .args(args)
        .envs(variables)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn fine(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The variables of a container that have a value in the manifest.
fn variables(container: &Value) -> BTreeMap<String, String> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let list = container["env"].as_array().unwrap().iter();
    list.map(|one| {
        (
            name(&one["name"]).unwrap(),
            name(&one["value"]).unwrap_or_else(|| "pod-0".to_owned()),
        )
    })
    .collect()
}

#[test]
fn pods_are_restricted_probed_and_bounded() {
    let manifests = manifests();
    let serve = text("crates/server/src/serve.rs");
    for (kind, name) in WORKLOADS {
        let workload = &of(&manifests, kind, name)["spec"];
        let pod = &workload["template"]["spec"];
        let container = &pod["containers"][0];
        for (what, found, wanted) in [
            (
                "runAsNonRoot",
                &pod["securityContext"]["runAsNonRoot"],
                Value::from(true),
            ),
            (
                "seccompProfile",
                &pod["securityContext"]["seccompProfile"]["type"],
                Value::from("RuntimeDefault"),
            ),
            ("token", &pod["automountServiceAccountToken"], Value::from(false)),
            (
                "root file system",
                &container["securityContext"]["readOnlyRootFilesystem"],
                Value::from(true),
            ),
            (
                "escalation",
                &container["securityContext"]["allowPrivilegeEscalation"],
                Value::from(false),
            ),
            (
                "capabilities",
                &container["securityContext"]["capabilities"]["drop"],
                serde_json::json!(["ALL"]),
            ),
        ] {
            assert_eq!(*found, wanted, "{name}: {what}");
        }
        for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
            let path = container[probe]["httpGet"]["path"].as_str().unwrap();
            assert!(
                serve.contains(&format!(".route(\"{path}\"")),
                "{name}: {probe} asks {path}"
            );
            assert_eq!(
                container[probe]["httpGet"]["port"], container["ports"][0]["name"],
                "{name}: {probe}"
            );
        }
        assert!(
            container["resources"]["requests"]["cpu"].is_string(),
            "{name}: cpu"
        );
        assert!(
            container["resources"]["limits"]["memory"].is_string(),
            "{name}: memory"
        );
        // A stop takes about two seconds, and up to the time that the client gives a commit.
        assert!(
            pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 15,
            "{name}: grace"
        );
        let labels = &workload["template"]["metadata"]["labels"];
        assert_eq!(*labels, workload["selector"]["matchLabels"], "{name}: selector");
        for other in ["PodDisruptionBudget", "Service"] {
            let name = if other == "Service" && kind == "Deployment" {
                "stormfold"
            } else {
                name
            };
            let selector = &of(&manifests, other, name)["spec"]["selector"];
            let selector = selector.get("matchLabels").unwrap_or(selector);
            assert_eq!(selector, labels, "{other} {name}");
        }
    }
}

/// The configuration of the config map, with the secrets and the variables of each container, is what the command takes.
#[test]
fn the_configuration_of_the_manifests_is_right() {
    let manifests = manifests();
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().to_str().unwrap();
    let data = &of(&manifests, "ConfigMap", "stormfold")["data"];
    for (name, content) in data.as_object().unwrap() {
        let content = content.as_str().unwrap().replace("/etc/stormfold", at);
        fs::write(dir.path().join(name), content).unwrap();
    }
    fs::create_dir(dir.path().join("secrets")).unwrap();
    for (name, content) in of(&manifests, "Secret", "stormfold")["stringData"]
        .as_object()
        .unwrap()
    {
        fs::write(dir.path().join("secrets").join(name), content.as_str().unwrap()).unwrap();
    }
    for (kind, name) in WORKLOADS {
        let workload = &of(&manifests, kind, name)["spec"];
        let container = &workload["template"]["spec"]["containers"][0];
        let args = strings(&container["args"]);
        assert_eq!(args[0], "run", "{name}");
        let mount = &container["volumeMounts"][0]["mountPath"];
        assert_eq!(
            args[2],
            format!("{}/stormfold.yaml", mount.as_str().unwrap()),
            "{name}"
        );
        let variables = variables(container);
        let check = [
            "check".to_owned(),
            args[1].clone(),
            args[2].replace("/etc/stormfold", at),
            "--effective".to_owned(),
        ];
        let output = stormfold(&check, &variables, dir.path());
        fine(&output);
        let effective: Value = serde_saphyr::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
        let stage = workload["selector"]["matchLabels"]["app.kubernetes.io/component"]
            .as_str()
            .unwrap();
        assert_eq!(effective["pipeline"]["stages"], *stage, "{name}");
        let port = container["ports"][0]["containerPort"].as_u64().unwrap();
        assert!(
            effective["http"]["listen"]
                .as_str()
                .unwrap()
                .ends_with(&format!(":{port}")),
            "{name}"
        );
        if stage == "correlate" {
            let threads = effective["pipeline"]["correlate_workers"].as_u64().unwrap();
            let all = threads * workload["replicas"].as_u64().unwrap();
            assert!(
                all <= effective["topics"]["partitions"].as_u64().unwrap(),
                "{all} threads, some for nothing"
            );
        }
        // What goes out is what the policy lets out.
        let kafka = effective["kafka"]["brokers"]
            .as_str()
            .unwrap()
            .rsplit_once(':')
            .unwrap()
            .1
            .parse::<u64>()
            .unwrap();
        let out = &of(&manifests, "NetworkPolicy", "stormfold")["spec"]["egress"];
        let ports: Vec<_> = out
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|rule| rule["ports"].as_array().unwrap())
            .collect();
        assert!(ports.iter().any(|port| port["port"] == kafka), "{ports:?}");
        let help = stormfold(
            &[args[0].clone(), "--help".to_owned()],
            &BTreeMap::new(),
            dir.path(),
        );
        assert!(String::from_utf8_lossy(&help.stdout).contains(&args[1]));
    }
}

#[test]
fn compose_gives_variables_and_commands_that_exist() {
    let compose = &documents("deploy/compose.yaml")[0];
    let dir = tempfile::tempdir().unwrap();
    for service in ["topics", "stormfold"] {
        let service = &compose["services"][service];
        let mut variables = BTreeMap::new();
        let own = service["environment"].as_object().unwrap();
        let merged = own.get("<<").and_then(Value::as_object).into_iter().flatten();
        for (name, value) in merged.chain(own).filter(|(name, _)| *name != "<<") {
            // `${NAME:-default}`, as Compose fills it in where nothing is set.
            let value = value.as_str().unwrap();
            let value = match value.split_once("${") {
                Some((before, rest)) => {
                    let (inside, after) = rest.split_once('}').unwrap();
                    format!("{before}{}{after}", inside.split_once(":-").unwrap().1)
                }
                None => value.to_owned(),
            };
            variables.insert(name.clone(), value);
        }
        fine(&stormfold(&["check".to_owned()], &variables, dir.path()));
        let mut command = strings(&service["command"]);
        command.push("--help".to_owned());
        fine(&stormfold(&command, &BTreeMap::new(), dir.path()));
        let dockerfile = service["build"]["dockerfile"].as_str().unwrap();
        assert!(root().join(dockerfile).exists());
    }
}

#[test]
fn the_image_has_what_the_build_and_the_program_need() {
    let dockerfile = text("deploy/Dockerfile");
    let cargo = text("Cargo.toml");
    let rust = cargo
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap()
        .trim_matches('"');
    assert!(
        dockerfile.contains(&format!("FROM rust:{rust}-slim-bookworm")),
        "the toolchain is that of Cargo.toml"
    );
    let dev = text("dev");
    for package in ["build-essential", "pkg-config", "libssl-dev"] {
        assert!(dev.contains(package) && dockerfile.contains(package), "{package}");
    }
    // Shared libraries beyond those of every Debian.
    let linked = Command::new("ldd")
        .arg(env!("CARGO_BIN_EXE_stormfold"))
        .output()
        .unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    let everywhere = [
        "linux-vdso",
        "ld-linux",
        "libc.",
        "libm.",
        "libgcc_s.",
        "libdl.",
        "libpthread.",
        "librt.",
        "libz.",
    ];
    for line in linked.lines() {
        let name = line
            .split_whitespace()
            .next()
            .and_then(|path| path.rsplit('/').next())
            .unwrap();
        let ssl = ["libssl.so.3", "libcrypto.so.3"].contains(&name) && dockerfile.contains("libssl3");
        assert!(
            ssl || everywhere.iter().any(|known| name.starts_with(known)),
            "{line}"
        );
    }
    assert!(dockerfile.contains("\nUSER 65532:65532\n"));
    let last: Vec<_> = dockerfile.lines().rev().take(2).collect();
    assert_eq!(last, ["CMD [\"run\"]", "ENTRYPOINT [\"stormfold\"]"]);
}

#[test]
fn alerting_rules_name_metrics_that_exist() {
    let rules = &documents("deploy/prometheus/rules.yml")[0];
    let metrics = text("docs/metrics.md");
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 5);
    for rule in rules {
        let expression = rule["expr"].as_str().unwrap();
        let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let named: Vec<_> = words.filter(|word| word.starts_with("stormfold_")).collect();
        assert!(!named.is_empty(), "{expression}");
        for name in named {
            assert!(
                metrics.contains(&format!("| `{name}` |")),
                "{name} of {}",
                rule["alert"]
            );
        }
        for said in ["summary", "action"] {
            assert!(rule["annotations"][said].is_string(), "{}: {said}", rule["alert"]);
        }
    }
}
