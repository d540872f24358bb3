"""Vaults and credentials: what is stored is never shown."""

from support import *

SECRET = "canary-of-the-sdk"
vaults = client.beta.vaults


def scenario_vaults():
    made = [vaults.create(display_name=f"v{n}", metadata={"n": str(n)}) for n in range(3)]
    assert [vault.id for vault in vaults.list(limit=1)][:3] == [vault.id for vault in made[::-1]]
    changed = vaults.update(made[0].id, display_name="renamed", metadata={"n": None, "x": "y"})
    assert (changed.display_name, changed.metadata) == ("renamed", {"x": "y"})
    assert vaults.retrieve(made[0].id) == changed
    assert vaults.delete(made[2].id).type == "vault_deleted"
    refused(anthropic.NotFoundError, vaults.retrieve, made[2].id)

    session = new_session(vault_ids=[made[1].id, made[0].id])
    assert session.vault_ids == [made[1].id, made[0].id]
    assert client.beta.sessions.retrieve(session.id).vault_ids == session.vault_ids
    refused(anthropic.NotFoundError, new_session, vault_ids=[made[2].id])
    refused(anthropic.BadRequestError, client.beta.sessions.update, session.id, vault_ids=[])
    assert vaults.archive(made[1].id).archived_at
    refused(anthropic.BadRequestError, new_session, vault_ids=[made[1].id])
    assert client.beta.sessions.retrieve(session.id).vault_ids == session.vault_ids, "sessions go on"


def scenario_credentials():
    vault = vaults.create(display_name="v").id
    credentials = vaults.credentials
    oauth = credentials.create(vault, display_name="o", auth={
        "type": "mcp_oauth", "access_token": SECRET, "mcp_server_url": "https://mcp.example.com/a",
        "expires_at": "2030-01-01T00:00:00Z",
        "refresh": {"client_id": "id", "refresh_token": SECRET, "token_endpoint": "https://auth.example.com/token",
                    "token_endpoint_auth": {"type": "client_secret_post", "client_secret": SECRET}}})
    assert oauth.auth.type == "mcp_oauth" and oauth.auth.refresh.token_endpoint_auth.type == "client_secret_post"
    bearer = {"type": "static_bearer", "token": SECRET, "mcp_server_url": "https://MCP.example.com/a/"}
    taken = refused(anthropic.ConflictError, credentials.create, vault, auth=bearer)
    assert taken.response.headers["x-should-retry"] == "false"
    variable = credentials.create(vault, auth={
        "type": "environment_variable", "secret_name": "KEY", "secret_value": SECRET,
        "networking": {"type": "limited", "allowed_hosts": ["api.example.com"]}})
    assert variable.auth.injection_location.header and variable.auth.injection_location.body
    narrowed = credentials.update(variable.id, vault_id=vault, auth={
        "type": "environment_variable", "secret_value": SECRET, "injection_location": {"body": False}})
    assert narrowed.auth.injection_location.header and not narrowed.auth.injection_location.body
    refused(anthropic.BadRequestError, credentials.update, variable.id, vault_id=vault, auth={"type": "static_bearer"})
    assert [found.id for found in credentials.list(vault, limit=1)] == [variable.id, oauth.id]
    said = credentials.mcp_oauth_validate(oauth.id, vault_id=vault)
    assert (said.status, said.has_refresh_token, said.mcp_probe.method) == ("unknown", True, "initialize")
    raw = credentials.with_raw_response.retrieve(oauth.id, vault_id=vault)
    assert SECRET not in raw.text() and "access_token" not in raw.text()

    archived = credentials.archive(oauth.id, vault_id=vault)
    assert archived.archived_at
    again = credentials.create(vault, auth=bearer)
    assert [found.id for found in credentials.list(vault)] == [again.id, variable.id]
    assert len(list(credentials.list(vault, include_archived=True))) == 3
    assert credentials.delete(again.id, vault_id=vault).type == "vault_credential_deleted"
    refused(anthropic.NotFoundError, credentials.retrieve, again.id, vault_id=vault)
    vaults.archive(vault)
    assert list(credentials.list(vault)) == []


run(globals())
