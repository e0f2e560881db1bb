//! What senders commonly call the fields of an alert, for reading plain JSON by best guess.

/// Names in the order in which they are believed. Compared without case and separators. A title that is called one is
/// believed wherever it stands.
pub(super) const TITLED: [&str; 18] = [
    "title", "alertname", "alerttitle", "rulename", "problemtitle", "problemname", "conditionname",
    "healthrulename", "subject", "alarmname", "eventname", "testname", "headline", "threatname",
    "alertdisplayname", "insightname", "budgetname", "budgetdisplayname",
];
pub(super) const TITLE: [&str; 40] = [
    "alert", "trigger", "triggername", "name", "displayname", "summary", "shortdescription",
    "briefdescription", "shortmessage", "monitor", "check", "sensor", "rule", "alarm", "problem", "event",
    "message", "msg", "humanreadable", "description", "text", "reason", "error", "output", "logmessage",
    "policyname", "datapoint", "metricname", "metric", "errormessage", "entitydisplayname", "logentry",
    "opaque", "jobname", "taskname", "taskid", "buildname", "category", "content", "memo",
];
/// Names of what watches, which are those of its only alert where that has none of its own.
pub(super) const WATCHED: [&str; 5] = [
    "triggername", "monitorname", "checkname", "detectlabel", "detectorname",
];
/// How the object that stands for the alert calls it.
pub(super) const CALLED: [&str; 7] = [
    "alert", "name", "displayname", "summary", "shortdescription", "label", "signature",
];
/// How that is called which ran and says whether it succeeded.
pub(super) const RAN: [&str; 5] = ["jobname", "job", "taskname", "task", "script"];
/// Its identity, where it has no name.
pub(super) const RAN_ID: [&str; 3] = ["jobid", "taskid", "runid"];
/// What says whether it succeeded. So do answers of any service, which are no alerts.
pub(super) const SUCCEEDED: [&str; 2] = ["success", "succeeded"];
/// What a process said when it ended; anything but 0 is a failure.
pub(super) const EXIT: [&str; 4] = ["exitcode", "exitstatus", "returncode", "rc"];
/// Objects whose name is that of a rule, and so of what it finds.
pub(super) const RULE: [&str; 6] = [
    "healthrule", "alertrule", "rule", "alertdefinition", "condition", "policy",
];
/// Names that only alerts bear.
pub(super) const ALERT_NAMED: [&str; 9] = [
    "alertname", "alerttitle", "alertrulename", "alarmname", "monitorname", "healthrulename",
    "alertdisplayname", "budgetname", "budgetdisplayname",
];
/// What says at least what kind of thing it is.
pub(super) const KIND: [&str; 5] = ["eventtypename", "typename", "alerttype", "eventtype", "type"];
pub(super) const TEXT: [&str; 30] = [
    "text", "message", "description", "details", "body", "msg", "longdescription", "summary", "detail",
    "content", "output", "info", "reason", "comment", "errormessage", "errordescription", "error", "note",
    "fullmessage", "additionalinfo", "lastmessage", "shortmessage", "statemessage", "summarymessage",
    "statusmessage", "statusreason", "exception", "triggeringsummary", "failurereason",
    "detaileddescription",
];
pub(super) const STATE: [&str; 17] = [
    "status", "state", "alertstate", "currentstate", "currentstatus", "newstate", "newstatus", "statename",
    "action", "transition", "eventtype", "triggertype", "event", "alertevent", "notificationtype",
    "statustext", "overallstate",
];
/// Names whose value is a state only if it is one of the usual words.
pub(super) const STATE_IF_KNOWN: [&str; 15] = [
    "type", "alerttype", "condition", "phase", "result", "alert", "messagetype", "health", "healthstatus",
    "availability", "outcome", "conclusion", "resultstatus", "resultstatustext", "clear",
];
pub(super) const SEVERITY: [&str; 16] = [
    "severity", "severitylevel", "severityname", "priority", "level", "criticality", "urgency", "loglevel",
    "importance", "impact", "sev", "prio", "alertlevel", "class", "notificationlevel",
    "alertnotificationlevel",
];
pub(super) const KEY: [&str; 27] = [
    "idempotencykey", "dedupkey", "deduplicationkey", "dedupekey", "dedup", "dedupid", "fingerprint",
    "alias", "alertkey", "incidentkey", "incidenthash", "correlationkey", "correlationid",
    "alertcorrelationid", "eventkey", "alertid", "incidentid", "problemid", "issueid", "alarmid",
    "findingid", "aggregkey", "detectid", "detectionid", "groupkey", "groupingkey", "alertactiveid",
];
/// What stands beside the hash of a commit, which is that of all that fails with it.
pub(super) const OF_COMMIT: [&str; 10] = [
    "commit", "commitid", "commitsha", "commitref", "commitmessage", "branch", "branchname", "ref", "sha",
    "revision",
];
/// What is numbered to tell one from the other; what is affected is counted.
pub(super) const NUMBERED: [&str; 6] = ["incident", "problem", "issue", "alert", "alarm", "ticket"];
/// Identities of what watches, for alerts without one of their own.
pub(super) const WATCH_KEY: [&str; 9] = [
    "triggerid", "monitorid", "checkid", "sensorid", "alertobjectid", "entityid", "monitoruuid", "checkuuid",
    "connectorid",
];
/// Identities of whatever they stand in.
pub(super) const ID: [&str; 9] = [
    "identifier", "externalid", "uniqueid", "key", "uid", "uuid", "id", "number", "displayid",
];
/// Names of times are told without what they end in ([`TIME_ENDS`]): `started` is `started_at`, `startedOn` and
/// `started_timestamp_utc`, too.
pub(super) const TS: [&str; 54] = [
    "timestamp", "ts", "time", "@timestamp", "datetime", "shortdatetime", "longdatetime", "localdatetime",
    "date", "occurred", "eventtime", "eventdate", "triggertime", "triggered", "fired", "detected",
    "timeofalert", "agenttime", "lasttime", "lastoccurrence", "lasteventtime", "lastseen", "updated",
    "updatetime", "lastupdated", "lastmodified", "lastreceived", "lastreceivetime", "issued", "when",
    "epoch", "published", "received", "statechanged", "statechangetime", "sent", "lastupdatetime",
    "unixtime", "modtime", "analysed", "occurat", "processingtime", "lastoccurred", "lastnotificationtime",
    "modified", "timeofevent", "publishtime", "sourcetimestamp", "now", "timeraised", "timegenerated",
    "alarmtime", "happened", "collected",
];
/// When it was created: when its state was observed only if nothing else says.
pub(super) const CREATED: [&str; 5] = ["created", "createtime", "raised", "creation", "datecreated"];
pub(super) const STARTS: [&str; 20] = [
    "started", "starts", "start", "opened", "firstseen", "firstoccurrence", "firsttime", "firsteventtime",
    "activeat", "begin", "begins", "since", "downsince", "firsttriggertime", "timeframestart",
    "firstoccurred", "firstoccurtime", "firstdetected", "initialtrigger", "opentime",
];
pub(super) const ENDS: [&str; 15] = [
    "resolved", "closed", "ended", "recovered", "cleared", "ends", "end", "resolution", "recovertime",
    "recovery", "cleartime", "closetime", "resolvetime", "fixed", "timeresolved",
];
/// Ends that are named only when they have come.
pub(super) const ENDED: [&str; 10] = [
    "resolved", "closed", "ended", "recovered", "cleared", "recovertime", "recovery", "cleartime", "fixed",
    "timeresolved",
];
pub(super) const SERVICE: [&str; 31] = [
    "service", "servicename", "application", "applicationname", "app", "appname", "component", "project",
    "projectname", "system", "product", "subsystem", "module", "workload", "function", "repository", "job",
    "tier", "site", "endpoint", "workspacename", "serviceobject", "servicedisplayname", "projectslug",
    "repositoryname", "connectorname", "pipelinename", "workflowname", "flowname", "jobname", "services",
];
pub(super) const HOST: [&str; 42] = [
    "host",
    "hostname",
    "node",
    "nodename",
    "nodelabel",
    "server",
    "servername",
    "instance",
    "device",
    "devicename",
    "machine",
    "computer",
    "computername",
    "fqdn",
    "resource",
    "resourcename",
    "target",
    "affectedentity",
    "entity",
    "ip",
    "ipaddress",
    "agent",
    "asset",
    "itemname",
    "computerdnsname",
    "machinename",
    "vmname",
    "instancename",
    "hostnameandport",
    "devicehostname",
    "targetident",
    "resourcedisplayname",
    "client",
    "clientname",
    "entitycaption",
    "monitoringobjectdisplayname",
    "monitoringobjectname",
    "devname",
    "hostnames",
    "hosts",
    "compromisedentity",
    "originatorname",
];
/// Identities of what an alert is about, which are its name where it has no other.
pub(super) const HOST_ID: [&str; 4] = ["targetresourceid", "resourceid", "instanceid", "deviceid"];
pub(super) const LINK: [&str; 20] = [
    "htmlurl", "weburl", "permalink", "url", "link", "alerturl", "incidenturl", "detailsurl", "dashboardurl",
    "generatorurl", "href", "deeplink", "sourceurl", "responseurl", "linkurl", "issueurl", "triggerurl",
    "monitorurl", "resulturl", "consoleurl",
];
pub(super) const RUNBOOK: [&str; 6] = [
    "runbook", "runbookurl", "runbooklink", "playbook", "playbookurl", "remediation",
];
pub(super) const LISTS: [&str; 13] = [
    "alerts", "events", "incidents", "records", "items", "results", "messages", "issues", "notifications",
    "alarms", "problems", "data", "result",
];

/// What a name of a time may end in: that it is one, its unit, its zone.
pub(super) const TIME_ENDS: [&str; 27] = [
    "at", "on", "time", "date", "datetime", "stamp", "timestamp", "utc", "gmt", "zoned", "iso", "iso8601",
    "unix", "epoch", "ms", "inms", "millis", "inmsecs", "inusecs", "epochmillis", "millisecond",
    "milliseconds", "seconds", "us", "micros", "ns", "nanos",
];

/// The first of `STATE`, which may be objects with a name.
pub(super) const STATES: usize = 7;
/// The first of `SEVERITY`, whose words are believed even where nobody knows them.
pub(super) const SEVERITIES: usize = 7;
/// What says how bad it is wherever it stands, if in a word that we know.
pub(super) const SEVERITY_ANYWHERE: [&str; 4] = ["severity", "severitylevel", "level", "loglevel"];
/// What says in words what a number beside it says.
pub(super) const SEVERITY_IN_WORDS: [&str; 6] = [
    "severityname", "severitylabel", "severitytext", "severityword", "severitystring", "stringseverity",
];
/// The first of `HOST`, which mean a host wherever they stand.
pub(super) const HOSTS: usize = 4;
/// Fields in which queues and relays put a body as text.
pub(super) const CARRIERS: [&str; 10] = [
    "message", "body", "payload", "data", "content", "event", "alert", "sns", "value", "log",
];
/// How names of states end, and how those begin that tell of another time or thing.
pub(super) const STATE_ENDS: [&str; 4] = ["status", "state", "result", "phase"];
pub(super) const STATE_BEFORE: [&str; 9] = [
    "previous", "old", "prior", "last", "from", "former", "http", "exit", "ack",
];
/// How many a search found that is told of because it found some.
pub(super) const FOUND: [&str; 9] = [
    "matches", "numhits", "hitcount", "nummatches", "numresults", "totalhits", "numberofevents",
    "matchcount", "resultcount",
];
