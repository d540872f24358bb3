//! `/v1/deployments` and `/v1/deployment_runs` over the store.

use super::*;
use crate::store::{Key, Kind};

/// Makes an agent and an environment, and returns a deployment of them, to be sent.
pub(crate) async fn template(server: &Server) -> Value {
    let agent = server
        .made("/v1/agents", json!({"name": "a", "model": "m1"}))
        .await;
    let environment = server.made("/v1/environments", json!({"name": "e"})).await;
    json!({
        "name": "d",
        "agent": agent["id"],
        "environment_id": environment["id"],
        "initial_events": [{"type": "user.message", "content": [{"type": "text", "text": "go"}]}],
    })
}

fn with(mut body: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn cron(expression: &str) -> Value {
    json!({"type": "cron", "expression": expression, "timezone": "UTC"})
}

fn path(deployment: &Value) -> String {
    format!("/v1/deployments/{}", deployment["id"].as_str().unwrap())
}

async fn act(server: &Server, deployment: &Value, verb: &str) -> Value {
    server
        .made(&format!("{}/{verb}", path(deployment)), Value::Null)
        .await
}

#[tokio::test]
async fn a_new_deployment_has_every_field() {
    let server = Server::open();
    let body = template(&server).await;
    let made = server.made("/v1/deployments", body.clone()).await;
    let at = made["created_at"].clone();
    assert_eq!(
        made,
        json!({
            "type": "deployment", "id": made["id"], "name": "d", "description": null,
            "agent": {"type": "agent", "id": body["agent"], "version": 1},
            "environment_id": body["environment_id"], "initial_events": body["initial_events"],
            "resources": [], "vault_ids": [], "budget": null, "metadata": {}, "schedule": null,
            "status": "active", "paused_reason": null,
            "created_at": at, "updated_at": at, "archived_at": null,
        })
    );
    assert!(made["id"].as_str().unwrap().starts_with("depl_"));
    assert_eq!(server.get(&path(&made)).await.body, made);

    let schedule = with(body, json!({"schedule": cron("0 */6 * * *")}));
    let scheduled = server.made("/v1/deployments", schedule).await;
    // The server's clock stands shortly behind 2027-01-15T08:00:00Z.
    assert_eq!(
        scheduled["schedule"],
        json!({
            "type": "cron", "expression": "0 */6 * * *", "timezone": "UTC", "last_run_at": null,
            "upcoming_runs_at": [
                "2027-01-15T12:00:00.000000Z", "2027-01-15T18:00:00.000000Z",
                "2027-01-16T00:00:00.000000Z", "2027-01-16T06:00:00.000000Z",
                "2027-01-16T12:00:00.000000Z",
            ],
        })
    );
}

#[tokio::test]
async fn refusals() {
    let server = Server::open();
    let body = template(&server).await;
    let event = body["initial_events"][0].clone();
    for (fields, fragment) in [
        (json!({"name": ""}), "name: must not be empty"),
        (json!({"name": "x".repeat(257)}), "name: at most 256"),
        (
            json!({"description": "x".repeat(2_049)}),
            "description: at most 2048",
        ),
        (
            json!({"initial_events": []}),
            "initial_events: must hold at least one",
        ),
        (
            json!({"initial_events": vec![event.clone(); 51]}),
            "initial_events: at most 50",
        ),
        (
            json!({"initial_events": [{"type": "user.interrupt"}]}),
            "initial_events.0.type",
        ),
        (json!({"agent": null}), "agent: this field is required"),
        (
            json!({"agent": {"type": "agent_with_overrides", "id": "x"}}),
            "agent.type",
        ),
        (json!({"vault_ids": vec!["v"; 51]}), "vault_ids: at most 50"),
        (
            json!({"resources": vec![json!({}); 501]}),
            "resources: at most 500",
        ),
        (json!({"budget": {"type": "limit"}}), "budget.max_list_cost"),
        (json!({"metadata": {"a": 1}}), "metadata"),
        (json!({"schedule": {"type": "rate"}}), "schedule.type"),
        (
            json!({"schedule": {"type": "cron", "expression": "* * * * *"}}),
            "schedule.timezone",
        ),
        (
            json!({"schedule": cron("* * * *")}),
            "schedule.expression: expected five fields",
        ),
        (json!({"schedule": cron("@daily")}), "schedule.expression"),
        (
            json!({"schedule": cron("0 0 30 2 *")}),
            "a day that no year has",
        ),
        (
            json!({"schedule": {"type": "cron", "expression": "* * * * *", "timezone": "Mars"}}),
            "schedule.timezone: there is no time zone",
        ),
        (json!({"color": "red"}), "unknown field \"color\""),
    ] {
        let refused = server
            .post("/v1/deployments", with(body.clone(), fields))
            .await;
        refused.invalid(fragment);
    }
    for (fields, kind) in [
        (json!({"agent": "agent_x"}), "agent"),
        (
            json!({"agent": {"type": "agent", "id": body["agent"], "version": 9}}),
            "version 9",
        ),
        (json!({"environment_id": "env_x"}), "environment"),
    ] {
        let refused = server
            .post("/v1/deployments", with(body.clone(), fields))
            .await;
        refused.refused(404, "not_found_error", kind);
    }
    for path in ["/v1/deployments/depl_x", "/v1/deployment_runs/drun_x"] {
        server.get(path).await.refused(404, "not_found_error", "_x");
    }
    server
        .get("/v1/deployments?status=active&include_archived=true")
        .await
        .invalid("include_archived");
    server
        .get("/v1/deployments?status=done")
        .await
        .invalid("status");
    server
        .get("/v1/deployments?limit=101")
        .await
        .invalid("limit");
    server
        .get("/v1/deployment_runs?trigger_type=x")
        .await
        .invalid("trigger_type");
    server
        .get("/v1/deployment_runs?has_error=x")
        .await
        .invalid("has_error");
    server
        .get("/v1/deployment_runs?limit=1001")
        .await
        .invalid("limit");
}

#[tokio::test]
async fn updates_keep_what_they_leave_out_and_pin_what_they_name() {
    let server = Server::open();
    let fields = json!({"description": "x", "metadata": {"a": "1"}, "schedule": cron("0 * * * *"),
        "budget": {"type": "limit", "max_list_cost": {"amount": "5", "currency": "USD"}}});
    let body = with(template(&server).await, fields);
    // The model needs a price for a budget.
    let refused = server.post("/v1/deployments", body.clone()).await;
    refused.invalid("model_not_budgetable");
    let body = with(body, json!({"budget": null}));
    let made = server.made("/v1/deployments", body.clone()).await;
    let path = path(&made);
    for nothing in [
        json!({}),
        json!({"metadata": null, "resources": null, "vault_ids": null, "budget": null}),
        json!({"name": "d", "agent": body["agent"], "schedule": made["schedule"]}),
    ] {
        assert_eq!(server.made(&path, nothing).await, made);
    }
    for field in ["name", "agent", "environment_id", "initial_events"] {
        let mut clears = json!({});
        clears[field] = Value::Null;
        server.post(&path, clears).await.invalid("not cleared");
    }

    // A new version of the agent counts only once the deployment names the agent again.
    let agent = format!("/v1/agents/{}", body["agent"].as_str().unwrap());
    server.made(&agent, json!({"system": "new"})).await;
    let renamed = server
        .made(
            &path,
            json!({"name": "n", "metadata": {"a": null, "b": "2"}}),
        )
        .await;
    assert_eq!(
        (&renamed["agent"]["version"], &renamed["metadata"]),
        (&json!(1), &json!({"b": "2"}))
    );
    let pinned = server.made(&path, json!({"agent": body["agent"]})).await;
    assert_eq!(pinned["agent"]["version"], 2);
    let version = json!({"type": "agent", "id": body["agent"], "version": 1});
    let pinned = server.made(&path, json!({"agent": version})).await;
    assert_eq!(pinned["agent"]["version"], 1);

    let manual = server
        .made(&path, json!({"schedule": null, "description": null}))
        .await;
    assert_eq!(
        (&manual["schedule"], &manual["description"]),
        (&Value::Null, &Value::Null)
    );

    // The list's filter follows the agent.
    let other = server
        .made("/v1/agents", json!({"name": "b", "model": "m1"}))
        .await;
    server.made(&path, json!({"agent": other["id"]})).await;
    for (agent, count) in [(&body["agent"], 0), (&other["id"], 1)] {
        let list = format!("/v1/deployments?agent_id={}", agent.as_str().unwrap());
        assert_eq!(server.get(&list).await.column("id").len(), count);
    }
}

#[tokio::test]
async fn pauses_and_archives() {
    let server = Server::open();
    let body = template(&server).await;
    let scheduled = with(body.clone(), json!({"schedule": cron("0 * * * *")}));
    let first = server.made("/v1/deployments", scheduled).await;
    let second = server.made("/v1/deployments", body.clone()).await;
    let paused = act(&server, &first, "pause").await;
    assert_eq!(
        (&paused["status"], &paused["paused_reason"]),
        (&json!("paused"), &json!({"type": "manual"}))
    );
    assert_eq!(act(&server, &first, "pause").await, paused);
    let ids = |path: &'static str| {
        let server = &server;
        async move { server.get(path).await.column("id") }
    };
    assert_eq!(
        ids("/v1/deployments?status=paused").await,
        [first["id"].clone()]
    );
    assert_eq!(
        ids("/v1/deployments?status=active").await,
        [second["id"].clone()]
    );
    let active = act(&server, &first, "unpause").await;
    assert_eq!(
        (&active["status"], &active["paused_reason"]),
        (&json!("active"), &Value::Null)
    );

    act(&server, &first, "pause").await;
    let archived = act(&server, &first, "archive").await;
    assert_eq!(
        (
            &archived["status"],
            &archived["paused_reason"],
            &archived["schedule"]["upcoming_runs_at"]
        ),
        (&json!("active"), &Value::Null, &json!([]))
    );
    assert!(archived["archived_at"].is_string());
    assert_eq!(act(&server, &first, "archive").await, archived);
    for verb in ["", "/pause", "/unpause", "/run"] {
        let body = if verb.is_empty() {
            json!({})
        } else {
            Value::Null
        };
        let refused = server.post(&format!("{}{verb}", path(&first)), body).await;
        refused.invalid("is archived");
    }
    assert_eq!(ids("/v1/deployments").await, [second["id"].clone()]);
    assert_eq!(ids("/v1/deployments?include_archived=true").await.len(), 2);

    // An agent takes its deployments with it.
    let agent = format!("/v1/agents/{}/archive", body["agent"].as_str().unwrap());
    let agent = server.made(&agent, Value::Null).await;
    let gone = server.get(&path(&second)).await.body;
    assert_eq!(gone["archived_at"], agent["archived_at"]);
    server
        .post("/v1/deployments", body)
        .await
        .invalid("is archived");
}

#[tokio::test]
async fn a_manual_run_makes_a_session() {
    let server = Server::open();
    let deployment = server
        .made("/v1/deployments", template(&server).await)
        .await;
    act(&server, &deployment, "pause").await;
    let run = act(&server, &deployment, "run").await;
    assert_eq!(
        run,
        json!({
            "type": "deployment_run", "id": run["id"], "created_at": run["created_at"],
            "deployment_id": deployment["id"], "agent": deployment["agent"],
            "session_id": run["session_id"], "error": null, "trigger_context": {"type": "manual"},
        })
    );
    let id = run["session_id"].as_str().unwrap();
    let session = server.get(&format!("/v1/sessions/{id}")).await.body;
    assert_eq!(
        (&session["deployment_id"], &session["status"]),
        (&deployment["id"], &json!("running"))
    );
    let depl = deployment["id"].as_str().unwrap();
    let listed = server
        .get(&format!("/v1/sessions?deployment_id={depl}"))
        .await;
    assert_eq!(listed.column("id"), [session["id"].clone()]);
    let other = server
        .made(
            "/v1/sessions",
            json!({"agent": deployment["agent"]["id"], "environment_id": deployment["environment_id"]}),
        )
        .await;
    assert!(other.get("deployment_id").is_none());
    let found = server
        .get(&format!(
            "/v1/deployment_runs/{}",
            run["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(found.body, run);
    let second = act(&server, &deployment, "run").await;
    for (query, expected) in [
        ("", vec![&second["id"], &run["id"]]),
        (
            "?trigger_type=manual&has_error=false",
            vec![&second["id"], &run["id"]],
        ),
        ("?limit=1", vec![&second["id"]]),
        ("?has_error=true", vec![]),
        ("?trigger_type=schedule", vec![]),
        ("?deployment_id=depl_unknown", vec![]),
    ] {
        let page = server.get(&format!("/v1/deployment_runs{query}")).await;
        assert_eq!(
            page.column("id").iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    let before = run["created_at"].as_str().unwrap();
    let page = server
        .get(&format!(
            "/v1/deployment_runs?created_at[lte]={before}&deployment_id={depl}"
        ))
        .await;
    assert_eq!(page.column("id"), [run["id"].clone()]);
}

#[tokio::test]
async fn what_a_person_must_mend_pauses_the_deployment() {
    for (verb, kind) in [
        ("archive", "environment_archived_error"),
        ("delete", "environment_not_found_error"),
    ] {
        let server = Server::open();
        let body = template(&server).await;
        let deployment = server.made("/v1/deployments", body.clone()).await;
        let environment = format!(
            "/v1/environments/{}",
            body["environment_id"].as_str().unwrap()
        );
        match verb {
            "archive" => {
                let path = format!("{environment}/archive");
                server.made(&path, Value::Null).await;
            }
            _ => {
                server.call("DELETE", &environment, None).await;
            }
        }
        let run = act(&server, &deployment, "run").await;
        assert_eq!(
            (&run["error"]["type"], &run["session_id"]),
            (&json!(kind), &Value::Null)
        );
        let paused = server.get(&path(&deployment)).await.body;
        assert_eq!(paused["status"], "paused");
        assert_eq!(
            paused["paused_reason"],
            json!({"type": "error", "error": {"type": kind}})
        );
        let failed = server.get("/v1/deployment_runs?has_error=true").await;
        assert_eq!(failed.column("id"), [run["id"].clone()]);
        assert!(server.get("/v1/sessions").await.column("id").is_empty());
        // It can be repaired.
        let environment = server.made("/v1/environments", json!({"name": "e2"})).await;
        server
            .made(
                &path(&deployment),
                json!({"environment_id": environment["id"]}),
            )
            .await;
        act(&server, &deployment, "unpause").await;
        let run = act(&server, &deployment, "run").await;
        assert!(run["session_id"].is_string(), "{run}");
    }
}

#[tokio::test]
async fn other_workspaces_see_nothing() {
    let server = Server::open();
    let deployment = server
        .made("/v1/deployments", template(&server).await)
        .await;
    let run = act(&server, &deployment, "run").await;
    let run = format!("/v1/deployment_runs/{}", run["id"].as_str().unwrap());
    let call = |method: &'static str, path: String, body: &'static str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("anthropic-beta", BETA)
            .header("content-type", "application/json")
            .header("anthropic-workspace-id", "wrkspc_other");
        server.send(request.body(Body::from(body)).unwrap())
    };
    let own = path(&deployment);
    call("GET", own.clone(), "")
        .await
        .refused(404, "not_found_error", "depl_");
    call("POST", own.clone(), "{}")
        .await
        .refused(404, "not_found_error", "depl_");
    for verb in ["pause", "unpause", "run", "archive"] {
        let refused = call("POST", format!("{own}/{verb}"), "").await;
        refused.refused(404, "not_found_error", "depl_");
    }
    call("GET", run, "")
        .await
        .refused(404, "not_found_error", "drun_");
    for list in ["/v1/deployments", "/v1/deployment_runs"] {
        assert!(
            call("GET", list.to_owned(), "")
                .await
                .column("id")
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_thousand_have_schedules_and_no_more() {
    let server = Server::open();
    let body = template(&server).await;
    let scheduled = with(body.clone(), json!({"schedule": cron("0 0 1 1 *")}));
    let first = server.made("/v1/deployments", scheduled.clone()).await;
    let key = Key {
        workspace: server.state.default_workspace.clone(),
        kind: Kind::Deployment,
        id: first["id"].as_str().unwrap().to_owned(),
    };
    let row = server.store.get(&key, None).await.unwrap();
    let copies = (1..1_000).map(|n| {
        let key = Key {
            id: format!("depl_copy{n:04}"),
            ..key.clone()
        };
        crate::store::Write::Create(crate::store::NewResource {
            key,
            body: row.body.clone(),
            unique_name: None,
            status: row.status.clone(),
            labels: Vec::new(),
            at: row.created_at,
            events: Vec::new(),
            needs_wake: false,
            history: None,
        })
    });
    server.store.write(copies.collect()).await.unwrap();
    let refused = server.post("/v1/deployments", scheduled).await;
    refused.invalid("1000 scheduled deployments");
    let manual = server.made("/v1/deployments", body).await;
    let schedule = json!({"schedule": cron("0 0 * * *")});
    server
        .post(&path(&manual), schedule.clone())
        .await
        .invalid("1000 scheduled");
    // Another time is no other deployment, and an archived one gives its place up.
    server.made(&path(&first), schedule.clone()).await;
    act(&server, &first, "archive").await;
    server.made(&path(&manual), schedule).await;
}

#[tokio::test]
async fn vaults_and_memory_go_with_each_run() {
    let server = Server::open();
    let vault = server
        .made("/v1/vaults", json!({"display_name": "v"}))
        .await;
    let store = server
        .made("/v1/memory_stores", json!({"name": "Notes"}))
        .await;
    let asked = json!({
        "vault_ids": [vault["id"]],
        "resources": [{"type": "memory_store", "memory_store_id": store["id"], "access": "read_only"}],
    });
    let body = with(template(&server).await, asked);
    let unknown = with(body.clone(), json!({"vault_ids": ["vlt_none"]}));
    let refused = server.post("/v1/deployments", unknown).await;
    refused.refused(404, "not_found_error", "vlt_none");
    let deployment = server.made("/v1/deployments", body).await;
    let run = act(&server, &deployment, "run").await;
    let session = format!("/v1/sessions/{}", run["session_id"].as_str().unwrap());
    let session = server.get(&session).await.body;
    assert_eq!(session["vault_ids"], json!([vault["id"]]));
    assert_eq!(session["resources"][0]["mount_path"], "/mnt/memory/notes");
    assert_eq!(session["resources"][0]["access"], "read_only");

    let archive = format!("/v1/vaults/{}/archive", vault["id"].as_str().unwrap());
    server.made(&archive, Value::Null).await;
    let run = act(&server, &deployment, "run").await;
    assert_eq!(run["error"]["type"], "vault_archived_error");
    assert_eq!(
        server.get(&path(&deployment)).await.body["status"],
        "paused"
    );
}
