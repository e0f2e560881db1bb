//! What delivers software: GitHub, GitLab, Jenkins, Heroku and Terraform. Deployments and runs are changes, which an
//! incident may have as its cause; they are no alerts.
//!
//! <https://docs.github.com/webhooks/webhook-events-and-payloads>,
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/>, <https://plugins.jenkins.io/notification/>.

use super::prelude::*;

pub(crate) const GITHUB: Source = Source {
    name: "github",
    forms: "deployments, workflow runs, releases, pushes; ping",
    reference: "https://docs.github.com/webhooks/webhook-events-and-payloads",
    detect: |v| {
        has(v, &["zen", "hook_id"])
            || find(v, "repository.full_name").is_some()
                && [
                    "deployment", "workflow_run", "check_run", "check_suite", "release", "commits",
                ]
                .iter()
                .any(|k| v.get(k).is_some())
    },
    decode: github,
};

pub(crate) const GITLAB: Source = Source {
    name: "gitlab",
    forms: "deployments, pipelines, releases, pushes; incidents and vulnerabilities",
    reference: "https://docs.gitlab.com/user/project/integrations/webhook_events/",
    detect: |v| {
        let about = ["project", "object_attributes", "project_id", "repository"];
        has(v, &["object_kind"]) && about.iter().any(|name| v.get(name).is_some())
    },
    decode: gitlab,
};

pub(crate) const JENKINS: Source = Source {
    name: "jenkins",
    forms: "notification plug-in",
    reference: "https://plugins.jenkins.io/notification/",
    detect: |v| find(v, "build.phase").is_some() || find(v, "build.full_url").is_some(),
    decode: jenkins,
};

pub(crate) const HEROKU: Source = Source {
    name: "heroku",
    forms: "app webhooks: releases, builds, dynos",
    reference: "https://devcenter.heroku.com/articles/app-webhooks",
    detect: |v| has(v, &["resource", "action", "data"]) && find(v, "data.app.name").is_some(),
    decode: heroku,
};

pub(crate) const TERRAFORM: Source = Source {
    name: "terraform",
    forms: "run notifications of HCP Terraform",
    reference: "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
    detect: |v| {
        has(v, &["payload_version", "notifications"]) && v.get("notification_configuration_id").is_some()
    },
    decode: terraform,
};

const OF_TERRAFORM: Shape = Shape {
    title: &["notifications.0.message", "run_message"],
    text: &["run_message"],
    key: &["workspace_name", "run_id"],
    ts: &["notifications.0.run_updated_at", "run_created_at"],
    service: &["workspace_name"],
    links: &[("run_url", "run")],
    ..EMPTY
};

const OF_HEROKU: Shape = Shape {
    title: &["data.description", "data.name", "resource"],
    ts: &["published_at", "updated_at", "created_at"],
    key: &["resource", "data.id"],
    service: &["data.app.name"],
    ..EMPTY
};

const OF_GITHUB: Shape = Shape {
    text: &[
        "deployment.description",
        "deployment_status.description",
        "release.body",
        "head_commit.message",
    ],
    ts: &[
        "deployment_status.created_at",
        "deployment.created_at",
        "workflow_run.updated_at",
        "check_run.completed_at",
        "release.published_at",
        "head_commit.timestamp",
    ],
    service: &["repository.name"],
    entities: &[("repository", "repository.full_name")],
    links: &[
        ("workflow_run.html_url", "run"),
        ("deployment_status.target_url", "deployment"),
        ("release.html_url", "release"),
        ("compare", "difference"),
    ],
    key: &[
        "repository.full_name", "deployment.id", "workflow_run.id", "release.id", "after",
    ],
    ..EMPTY
};

const OF_GITLAB: Shape = Shape {
    text: &[
        "object_attributes.detailed_status",
        "commit.message",
        "commit_title",
        "description",
    ],
    ts: &[
        "status_changed_at",
        "object_attributes.finished_at",
        "object_attributes.created_at",
        "released_at",
    ],
    service: &["project.name", "repository.name", "project_name"],
    entities: &[
        ("repository", "project.path_with_namespace"),
        ("repository", "project_name"),
    ],
    links: &[
        ("deployable_url", "job"),
        ("object_attributes.url", "pipeline"),
        ("project.web_url", "project"),
    ],
    key: &[
        "project.path_with_namespace",
        "project_name",
        "deployment_id",
        "build_id",
        "object_attributes.id",
        "checkout_sha",
    ],
    ..EMPTY
};

/// Incidents are issues of that type; vulnerabilities have a hook of their own.
const GITLAB_ALERT: Shape = Shape {
    title: &["object_attributes.title"],
    text: &["object_attributes.description"],
    state: &["object_attributes.state"],
    severity: &["object_attributes.severity"],
    ts: &[
        "object_attributes.closed_at",
        "object_attributes.resolved_at",
        "object_attributes.updated_at",
        "object_attributes.created_at",
    ],
    starts_at: &["object_attributes.created_at"],
    service: &["project.name", "repository.name"],
    entities: &[("repository", "project.path_with_namespace")],
    links: &[("object_attributes.url", "incident")],
    ..EMPTY
};

const OF_JENKINS: Shape = Shape {
    ts: &["build.timestamp"],
    service: &["display_name", "name"],
    links: &[("build.full_url", "build")],
    key: &["name", "build.number"],
    ..EMPTY
};

fn github(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("github", &OF_GITHUB, value);
    if let Some(zen) = f.text("zen") {
        d.title = zen;
        return sink.rest(&f, d, Some(OtherKind::Handshake));
    }
    let what = [
        "deployment", "workflow_run", "check_run", "check_suite", "release",
    ]
    .into_iter()
    .find(|k| value.get(k).is_some())
    .unwrap_or("push");
    let result = f.first(&[
        "deployment_status.state",
        "workflow_run.conclusion",
        "check_run.conclusion",
        "check_suite.conclusion",
        "action",
    ]);
    if d.service.is_none() {
        let full = f.glance("repository.full_name").unwrap_or_default();
        d.service = full.rsplit('/').next().map(Text::from);
    }
    d.environment = f.first(&["deployment.environment", "deployment_status.environment"]);
    let name = f.first(&[
        "workflow_run.name", "check_run.name", "release.tag_name", "deployment.ref", "ref",
    ]);
    change(what, name, result, d, &f, sink);
}

fn terraform(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("terraform", &OF_TERRAFORM, value);
    let verification = f.glance("notifications.0.trigger").as_deref() == Some("verification");
    f.rest_into(&mut d);
    let kind = if verification {
        OtherKind::Test
    } else {
        OtherKind::Change
    };
    sink.other(kind, d);
}

fn heroku(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("heroku", &OF_HEROKU, value);
    let crashed = f.glance("data.state").as_deref() == Some("crashed");
    if let Some(resource) = f.glance("resource") {
        d.label("resource", resource);
    }
    f.rest_into(&mut d);
    if crashed {
        d.state(Some(State::Firing));
        d.severity = Some(Severity::Error);
        sink.event(d);
    } else {
        sink.other(OtherKind::Change, d);
    }
}

fn gitlab(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let what = f.text("object_kind").unwrap_or_default();
    let is_incident = f
        .glance("object_attributes.type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("incident"));
    if what == "vulnerability" || is_incident {
        let mut d = GITLAB_ALERT.read("gitlab", &f);
        let id = f
            .first(&["object_attributes.id", "object_attributes.url"])
            .unwrap_or_default();
        d.key = Some(join(&[
            &what,
            &f.glance("project.path_with_namespace").unwrap_or_default(),
            &id,
        ]));
        f.rest_into(&mut d);
        return sink.event(d);
    }
    let mut d = OF_GITLAB.read("gitlab", &f);
    let result = f.first(&[
        "status",
        "build_status",
        "object_attributes.status",
        "object_attributes.action",
        "action",
    ]);
    d.environment = f.text("environment");
    let name = f.first(&["object_attributes.ref", "build_name", "ref", "tag", "short_sha"]);
    change(&what, name, result, d, &f, sink);
}

fn jenkins(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let d = OF_JENKINS.read("jenkins", &f);
    let result = f.first(&["build.status", "build.phase"]);
    let name = f.text("build.number");
    change("build", name, result, d, &f, sink);
}

fn change(
    what: &str,
    name: Option<Text>,
    result: Option<Text>,
    mut d: Draft,
    f: &Fields<'_>,
    sink: &mut Sink<'_>,
) {
    let parts = [
        d.service.clone().unwrap_or_default(),
        what.into(),
        name.unwrap_or_default(),
        result.clone().unwrap_or_default(),
    ];
    let said: Vec<&str> = parts.iter().map(Text::as_str).filter(|p| !p.is_empty()).collect();
    d.title = said.join(" ").into();
    if let Some(result) = result {
        d.label("result", result);
    }
    d.severity = Some(Severity::Info);
    sink.rest(f, d, Some(OtherKind::Change));
}
