"""Deployments run by hand to their sessions' ends, and webhooks as the SDK checks them."""

import http.server
import queue
import threading

from support import *

deployments = client.beta.deployments
webhooks = client.beta.organization.webhooks


def template(words="answer now"):
    agent = client.beta.agents.create(name="deployed", model=MODEL)
    return dict(name="nightly", agent=agent.id, environment_id=environment().id, initial_events=[message(words)])


def scenario_a_deployment_and_its_runs():
    schedule = {"type": "cron", "expression": "30 4 * * 1-5", "timezone": "Europe/Berlin"}
    made = deployments.create(**template(), schedule=schedule, metadata={"team": "a"})
    assert made.status == "active" and made.paused_reason is None and made.agent.version == 1
    assert len(made.schedule.upcoming_runs_at) == 5 and made.schedule.last_run_at is None
    assert type(made.initial_events[0]).__name__ == "BetaManagedAgentsDeploymentUserMessageEvent"

    updated = deployments.update(made.id, description="every night", metadata={"team": None, "on": "1"})
    assert (updated.description, updated.metadata) == ("every night", {"on": "1"})
    assert deployments.update(made.id, schedule=None).schedule is None
    refused(anthropic.BadRequestError, deployments.update, made.id, schedule={**schedule, "expression": "@daily"})
    refused(anthropic.NotFoundError, deployments.retrieve, "depl_unknown")

    paused = deployments.pause(made.id)
    assert paused.status == "paused" and paused.paused_reason.type == "manual"
    run = deployments.run(made.id)
    assert run.error is None and run.trigger_context.type == "manual" and run.deployment_id == made.id
    session = client.beta.sessions.retrieve(run.session_id)
    assert session.deployment_id == made.id
    assert words(of_kind(until_idle(session), "agent.message")[-1]) == "Here I am."
    assert [found.id for found in client.beta.sessions.list(deployment_id=made.id)] == [session.id]
    assert deployments.unpause(made.id).status == "active"

    runs = client.beta.deployment_runs
    assert runs.retrieve(run.id).to_dict() == run.to_dict()
    again = deployments.run(made.id)
    assert [found.id for found in runs.list(deployment_id=made.id, limit=1)] == [again.id, run.id]
    assert list(runs.list(deployment_id=made.id, has_error=True)) == []
    assert list(runs.list(deployment_id="depl_unknown")) == []
    assert made.id in [found.id for found in deployments.list(agent_id=made.agent.id, status="active")]

    archived = deployments.archive(made.id)
    assert archived.archived_at and archived.status == "active"
    refused(anthropic.BadRequestError, deployments.run, made.id)


def scenario_a_run_that_cannot_be():
    own = client.beta.environments.create(name=f"doomed of {os.getpid()}")
    made = deployments.create(**{**template(), "environment_id": own.id})
    client.beta.environments.archive(own.id)
    run = deployments.run(made.id)
    assert run.session_id is None and run.error.type == "environment_archived_error"
    assert type(run.error).__name__ == "BetaManagedAgentsEnvironmentArchivedRunErrorObject", type(run.error)
    paused = deployments.retrieve(made.id)
    assert paused.status == "paused" and paused.paused_reason.error.type == "environment_archived_error"

    doomed = deployments.create(**template())
    client.beta.agents.archive(doomed.agent.id)
    assert deployments.retrieve(doomed.id).archived_at


class Receiver(http.server.BaseHTTPRequestHandler):
    arrived = queue.Queue()
    statuses = [500]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.arrived.put((body, dict(self.headers)))
        self.send_response(self.statuses.pop() if self.statuses else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def scenario_webhooks():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = webhooks.create(
        url=f"http://127.0.0.1:{server.server_port}/hook",
        enabled_events=["session.status_idled", "session.thread_idled", "deployment.created"],
        name="here",
    )
    assert made.signing_secret.startswith("whsec_") and made.state == "enabled"
    assert "signing_secret" not in webhooks.retrieve(made.id).to_dict()
    assert made.id in [found.id for found in webhooks.list()]

    deployment = deployments.create(**template())
    run = deployments.run(deployment.id)
    events = {}
    # The first attempt of one of them was answered with an error, so it comes again, under its own id.
    attempts = []
    while len(events) < 3 or len(attempts) < 4:
        body, headers = Receiver.arrived.get(timeout=60)
        event = client.beta.webhooks.unwrap(body, headers=headers, key=made.signing_secret)
        assert headers["webhook-id"] == event.id
        attempts.append(event.id)
        events[event.data.type] = event
    assert len(set(attempts)) == 3
    assert events["deployment.created"].data.id == deployment.id
    assert events["session.status_idled"].data.id == run.session_id
    assert type(events["session.status_idled"].data).__name__ == "BetaWebhookSessionStatusIdledEventData"
    (primary,) = client.beta.sessions.threads.list(run.session_id)
    assert events["session.thread_idled"].data.session_thread_id == primary.id

    try:
        client.beta.webhooks.unwrap(body.replace("event", "evenT"), headers=headers, key=made.signing_secret)
        raise SystemExit("a forged webhook was accepted")
    except Exception as caught:
        assert type(caught).__name__ == "WebhookVerificationError", caught
    fresh = webhooks.regenerate_signing_secret(made.id)
    assert fresh.signing_secret != made.signing_secret
    assert webhooks.update(made.id, state="disabled").state == "disabled"
    assert webhooks.delete(made.id).type == "webhook_endpoint_deleted"
    server.shutdown()


run(globals())
